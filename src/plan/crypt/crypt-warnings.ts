import type { Crypttab } from "../../parameters/crypt/crypttab.ts";
import { listUnsaid, parseCryptOptions } from "../../parameters/crypt/options.ts";
import { formatDeviceSpec } from "../../parameters/device-spec.ts";
import type { Settings } from "../../parameters/parameters.ts";
import { printable } from "../../problems/report.ts";
import { type DecidedVolume, listIds } from "./crypt.ts";
import { isSameLuks } from "./crypt-drafts.ts";
import type { CryptVolume } from "./crypt-plan.ts";

/** What cannot be for all volumes together; as mistakes are told. */
export function findCryptMistakes(decided: readonly DecidedVolume[]): readonly string[] {
  const names = decided.filter(({ refusal }) => refusal === null).flatMap(({ volume }) => volume.name ?? []);
  const doubles = names.filter((name, index) => names.indexOf(name) !== index);
  return [...new Set(doubles)].map((name) => printable(`two encrypted devices are to become /dev/mapper/${name}`));
}

/** A line for everything about encrypted devices that is ignored, or that a person should know. Without values that may be secret. */
export function warnOfCrypt(
  settings: Settings,
  crypttab: Crypttab | null,
  decided: readonly DecidedVolume[],
): readonly string[] {
  if (settings.luks === false) return [];
  return [
    ...(crypttab?.warnings ?? []).map((text) => `/etc/crypttab ${text}`),
    ...warnOfOptions(settings),
    ...decided.flatMap((one) => warnOfVolume(settings, one)),
    ...warnOfUnusedWords(settings, decided),
  ].map(printable);
}

function warnOfOptions({ luksOptions, cryptDevice, cryptOpts, plains }: Settings): readonly string[] {
  const texts = [
    ...luksOptions.map(({ text }) => ["rd.luks.options=", text] as const),
    ...(cryptDevice === undefined ? [] : [["cryptdevice=", cryptDevice.options] as const]),
    ...cryptOpts.map(({ options }) => ["cryptopts=", options] as const),
    ...plains.map(({ options }) => ["rd.crypt.plain=", options] as const),
  ];
  const lines = texts.flatMap(([word, text]) => parseCryptOptions(text).warnings.map((line) => `${word}: ${line}`));
  return [...new Set(lines)];
}

function warnOfVolume(settings: Settings, { volume, options, refusal, draft }: DecidedVolume): readonly string[] {
  const what = describeVolume(volume);
  if (refusal !== null) return [`${what} is not opened: ${refusal}`];
  const unsaid = volume.plain === null ? [] : listUnsaid(options);
  const isPlain = volume.plain?.unlessLuks === true ? "is plain if it is not LUKS," : "is plain";
  const { id } = draft;
  const hasData = id === null || settings.luksData.some((word) => isSameLuks(word.id, id));
  const isById = volume.device.by === "uuid" || volume.device.by === "luks";
  return [
    ...(unsaid.length === 0
      ? []
      : [
          `${what} ${isPlain} and does not say ${unsaid.join(",")}: these are taken; defaults=old is as before cryptsetup 2.7`,
        ]),
    ...(volume.header !== null && isById && !hasData
      ? [`${what} has its header elsewhere, and then its data have no UUID: say where they are by rd.luks.data=`]
      : []),
  ];
}

function warnOfUnusedWords(settings: Settings, decided: readonly DecidedVolume[]): readonly string[] {
  const isUsed = (id: string) => decided.some(({ draft }) => draft.id !== null && isSameLuks(draft.id, id));
  const { cryptDevice, cryptRoot, crypto, cryptKey, cryptName, cryptHeader, cryptDiscards } = settings;
  const unused: readonly (readonly [boolean, string])[] = [
    [
      cryptKey !== undefined && cryptDevice === undefined && cryptRoot === undefined,
      "cryptkey= needs cryptdevice= or cryptroot=",
    ],
    [
      settings.luksKeys.some(({ place }) => place.path?.endsWith(".gpg") === true),
      "rd.luks.key=: GPG is not supported, the file is taken as the key as it is",
    ],
    [crypto !== undefined && cryptDevice === undefined, "crypto= needs cryptdevice="],
    [cryptName !== undefined && cryptRoot === undefined, "cryptdm= needs cryptroot="],
    [cryptHeader !== undefined && cryptRoot === undefined, "cryptheader= needs cryptroot="],
    [cryptDiscards === true && cryptRoot === undefined, "cryptdiscards needs cryptroot="],
    [settings.auto === true, "rd.auto opens encrypted devices only: no RAID or LVM device is set up yet"],
  ];
  return [
    ...listIds(settings)
      .filter((id) => !isUsed(id))
      .map((id) => `what is said of the encrypted device ${id} is not used: rd.luks.uuid= asks to open it`),
    ...unused.flatMap(([holds, text]) => (holds ? [text] : [])),
  ];
}

function describeVolume({ name, device }: CryptVolume): string {
  return name ?? formatDeviceSpec(device);
}
