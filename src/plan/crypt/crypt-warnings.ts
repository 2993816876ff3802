import { onlyTexts } from "../../formats/text.ts";
import type { Crypttab } from "../../parameters/crypt/crypttab.ts";
import { listUnsaid } from "../../parameters/crypt/options.ts";
import { formatDeviceSpec } from "../../parameters/device-spec.ts";
import type { Settings } from "../../parameters/parameters.ts";
import { notSupportedYet } from "../../problems/not-supported.ts";
import { printable } from "../../problems/report.ts";
import { type DecidedVolume, listIds } from "./crypt.ts";
import { isSameLuks, valuesFor } from "./crypt-drafts.ts";

/** Returns the names below /dev/mapper that two volumes have: mistakes. */
export function findDoubleNames(decided: readonly DecidedVolume[]): readonly string[] {
  const names = decided.filter(({ refusal }) => refusal === null).flatMap(({ volume }) => volume.name ?? []);
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

/** Returns a line for everything about encrypted devices that is ignored or that a person should know, without values that may be secret. */
export function warnOfCrypt(settings: Settings, crypttab: Crypttab | null, decided: readonly DecidedVolume[]) {
  if (settings.luks === false) return [];
  return [
    ...(crypttab?.warnings ?? []).map((text) => `/etc/crypttab ${text}`),
    ...warnOfOptions(settings),
    ...decided.flatMap((one) => warnOfVolume(settings, one)),
    ...warnOfUnusedParameters(settings, decided),
  ].map(printable);
}

function warnOfOptions({ luksOptions, cryptDevice, cryptOpts, plains }: Settings): readonly string[] {
  const given = {
    "rd.luks.options=": luksOptions.map(({ value }) => value),
    "cryptdevice=": [cryptDevice?.options ?? {}],
    "cryptopts=": cryptOpts.map(({ options }) => options),
    "rd.crypt.plain=": plains.map(({ options }) => options),
  };
  const lines = Object.entries(given).flatMap(([name, values]) =>
    values.flatMap(({ warnings = [] }) => warnings.map((line) => `${name}: ${line}`)),
  );
  return [...new Set(lines)];
}

function warnOfVolume(settings: Settings, { volume, options, refusal, draft: { id } }: DecidedVolume) {
  const { name, device, plain, header } = volume;
  const what = name ?? formatDeviceSpec(device);
  if (refusal !== null) return [`${what} is not unlocked: ${refusal}`];
  const unsaid = plain === null ? [] : listUnsaid(options);
  const condition = plain?.unlessLuks === true ? " if it is not LUKS" : "";
  const hasData = id === null || valuesFor(id, settings.luksData).length > 0;
  const isById = device.by === "uuid" || device.by === "luks";
  return onlyTexts(
    unsaid.length > 0 &&
      `${what} is a plain volume${condition}, and its options lack ${unsaid.join(",")}: levain uses these defaults of cryptsetup 2.7; defaults=old selects the earlier ones`,
    header !== null &&
      isById &&
      !hasData &&
      `${what} has a detached header, so its data device has no UUID: name the data device with rd.luks.data=`,
  );
}

function warnOfUnusedParameters(settings: Settings, decided: readonly DecidedVolume[]): readonly string[] {
  const isUsed = (id: string) => decided.some(({ draft }) => draft.id !== null && isSameLuks(draft.id, id));
  const { cryptDevice, cryptRoot, crypto, cryptKey, cryptName, cryptHeader, cryptDiscards, luksKeys } = settings;
  const unused = listIds(settings).filter((id) => !isUsed(id));
  return [
    ...unused.map((id) => `the parameters for the encrypted device ${id} are not used: unlock it with rd.luks.uuid=`),
    ...onlyTexts(
      cryptKey && !cryptDevice && !cryptRoot && "cryptkey= needs cryptdevice= or cryptroot=",
      luksKeys.some(({ value }) => value.path?.endsWith(".gpg")) &&
        `rd.luks.key=: ${notSupportedYet("GPG")}, the file is used as the key unchanged`,
      crypto && !cryptDevice && "crypto= needs cryptdevice=",
      cryptName !== undefined && !cryptRoot && "cryptdm= needs cryptroot=",
      cryptHeader && !cryptRoot && "cryptheader= needs cryptroot=",
      cryptDiscards && !cryptRoot && "cryptdiscards needs cryptroot=",
    ),
  ];
}
