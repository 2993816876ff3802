import { wipe } from "../crypto/secret.ts";
import { listBlockDeviceNames } from "../devices/block-devices.ts";
import { readMounts } from "../filesystems/mounts.ts";
import type { Console } from "../log/console.ts";
import type { Mapping } from "../machine/encryption.ts";
import type { Machine } from "../machine/machine.ts";
import { bytesOrNone, listOrNone, readText, textOrNone } from "../machine/small-files.ts";
import type { BytesPlace } from "../parameters/crypt/place.ts";
import { INTEGRITYTAB } from "../parameters/dialects/integritytab.ts";
import { findKeyPaths, findTabledKeys, IMAGE_KEY_LIST, parseKeyList } from "../plan/key-list.ts";
import type { BootPlan } from "../plan/plan.ts";
import { tolerateRefusal, unlessRefused } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";
import { describeRefusal, printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { ROOT } from "../stack/root-stack.ts";
import { wasTyped } from "../storage/device-mapper/mapping.ts";
import { liesIn, listIntegrityAlone, listOpenVolumes, removeVolumes } from "../storage/trust.ts";

// Anyone at a machine that fails to boot gets a shell, and would get the content of every volume that a key file has opened.

/** The list of the image's key files, for stage0 if the runtime crashes: NUL-terminated paths. */
export const KEY_LIST = "/run/levain/keys";
/** The directory where systemd looks for key files. */
const KEY_DIRECTORY = "/etc/cryptsetup-keys.d";

interface SealTools {
  readonly machine: Machine;
  readonly console: Console;
  /** Those that were typed in this boot. */
  readonly passphrases: Uint8Array[];
  /** Undoes the step "root" and those after it. */
  readonly release: () => void;
  /** A shell follows; otherwise the machine ends without one. */
  readonly hasShell: boolean;
  /** rdshell=keep may keep volumes open: the shell follows at once, and not perhaps, after a countdown. */
  readonly mayKeep: boolean;
}

/**
 * Closes every encrypted volume before a shell starts or the machine ends, wipes passphrases and removes the image's key files: `levain unlock`
 * opens the volumes again with their passphrase. With rdshell=keep, a volume stays open in a shell if a passphrase opened it in
 * this boot. What dm-integrity checks with a key is closed as well. Returns true if a volume was closed: the boot then continues
 * from the step "root". Throws BootError if a volume cannot be closed: no shell may start then.
 */
export function sealVolumes(tools: SealTools, plan: BootPlan | null): boolean {
  const { machine, console, passphrases, release, hasShell, mayKeep } = tools;
  wipe(...passphrases.splice(0));
  removeKeys(machine, plan, console, hasShell ? "shell" : "end");
  const [encrypted, keyed] = [listOpenVolumes(machine), listKeyed(machine, plan)];
  const open = [...encrypted, ...keyed];
  if (open.length === 0) return false;
  const names = joinNames(open);
  if (mayKeep && plan?.rescue.shell === "keep" && open.every(({ name }) => wasTyped(machine, name))) {
    console.warn(`${names} stays open in this shell (rdshell=keep)`);
    return false;
  }
  release();
  unmountAll(machine, open);
  unlessRefused(
    () => removeVolumes(machine),
    (cause) => {
      throw problem("volume-not-closed", { names, hasShell }, { cause });
    },
  );
  const before = hasShell ? " before the shell" : "";
  if (encrypted.length > 0)
    console.warn(`closed ${joinNames(encrypted)}${hasShell ? `${before}: \`levain unlock\` opens it again` : ""}`);
  if (keyed.length > 0)
    console.warn(`closed ${joinNames(keyed)}${hasShell ? `${before}: \`dmsetup table\` would print its key` : ""}`);
  return true;
}

function joinNames(volumes: readonly Mapping[]): string {
  return volumes.map(({ name }) => `/dev/mapper/${printable(name)}`).join(" and ");
}

/** Lists what dm-integrity checks with a key: `dmsetup table` prints it. A volume that the plan does not know may have one. */
function listKeyed(machine: Machine, plan: BootPlan | null): readonly Mapping[] {
  const known = new Map(plan?.integrity.map(({ name, options }) => [name, options.keyFile]));
  return listIntegrityAlone(machine).filter(({ name }) => known.get(name) !== null);
}

/** Unmounts what the undo of the steps has left, or a person has mounted by hand; the newest first. */
function unmountAll(machine: Machine, volumes: readonly Mapping[]): void {
  const devices = volumes.map(({ device }) => device);
  const isInside = liesIn(machine, devices);
  const numbers = listBlockDeviceNames(machine)
    .filter((name) => isInside({ name }))
    .map((name) => readText(machine, `/sys/class/block/${name}/dev`));
  const liesOn = (source: string) => source.startsWith("/") && numbers.includes(machine.stat(source)?.represents ?? "");
  const isOurs = ({ target, source }: { readonly target: string; readonly source: string }) =>
    liesOn(source) || target === ROOT || target.startsWith("/run/levain/");
  for (const { target } of readMounts(machine).filter(isOurs).reverse()) {
    // One that is in use keeps its volume open, which is reported.
    tolerateRefusal(() => machine.unmount(target));
  }
}

/** Lists the key files of the image: those that the builder, the crypttab, any parameter or the plan names, and those in systemd's directory. */
function listKeys(machine: Machine, plan: BootPlan | null): readonly string[] {
  const places = [...(plan?.crypt.volumes ?? []).flatMap(({ keys }) => keys), ...(plan?.crypt.unnamed.keys ?? [])];
  const inImage = ({ in: where }: BytesPlace) => where === "image";
  const paths = [
    ...parseKeyList(bytesOrNone(machine, IMAGE_KEY_LIST)),
    ...findTabledKeys(textOrNone(machine, "/etc/crypttab")),
    ...findTabledKeys(textOrNone(machine, INTEGRITYTAB)),
    ...findKeyPaths(bytesOrNone(machine, "/proc/cmdline")),
    ...places.filter(inImage).map(({ path }) => path),
    ...(plan?.integrity ?? []).flatMap(({ options }) => options.keyFile ?? []),
    ...listOrNone(machine, KEY_DIRECTORY).map((name) => `${KEY_DIRECTORY}/${name}`),
  ];
  return [...new Set(paths)].filter((path) => machine.stat(path)?.kind === "file");
}

/** Writes the list of key files for stage0. */
export function saveKeyList(machine: Machine, plan: BootPlan, voice: Voice): void {
  const keys = listKeys(machine, plan);
  if (keys.length === 0) return;
  unlessRefused(
    () => {
      machine.makeDirectory(KEY_LIST.slice(0, KEY_LIST.lastIndexOf("/")));
      machine.writeFile(KEY_LIST, keys.map((path) => `${path}\0`).join(""));
    },
    (refusal) => voice.warn(`could not write the list of key files: ${describeRefusal(refusal)}`),
  );
}

/** What would make a key file readable. */
const OCCASIONS = { shell: " before the shell", "old root": ", which is kept", end: "" } as const;

/** Overwrites and removes the key files of the image. Throws BootError if one stays. */
export function removeKeys(
  machine: Machine,
  plan: BootPlan | null,
  voice: Voice,
  before: keyof typeof OCCASIONS,
): void {
  for (const path of listKeys(machine, plan)) {
    unlessRefused(
      () => machine.wipeFile(path),
      (refusal) => {
        throw problem("key-file-not-removed", { path, why: describeRefusal(refusal), before });
      },
    );
    voice.warn(`removed the key file ${printable(path)} of this image${OCCASIONS[before]}`);
  }
}
