import { listBlockDeviceNames, readText } from "../devices/block-devices.ts";
import { readMounts } from "../filesystems/mounts.ts";
import type { Console } from "../log/console.ts";
import type { Mapping } from "../machine/encryption.ts";
import type { Machine } from "../machine/machine.ts";
import type { BytesPlace } from "../parameters/crypt/settings.ts";
import { findKeyPaths, findTabledKeys, IMAGE_KEY_LIST, parseKeyList } from "../plan/key-list.ts";
import type { BootPlan } from "../plan/plan.ts";
import { BootError, isErrno } from "../problems/errors.ts";
import { describeRefusal, printable } from "../problems/report.ts";
import type { Voice } from "../problems/voice.ts";
import { ROOT } from "../stack/root-stack.ts";
import { wasTyped } from "../storage/device-mapper/typed.ts";
import { liesIn, listOpenVolumes, removeVolumes } from "../storage/trust.ts";

// Whoever stands before a machine that fails to boot gets a shell. A volume that a key file has opened would be theirs.

/** Where stage0 finds the key files of the image, should the runtime crash: paths, each with a NUL behind it. */
export const KEY_LIST = "/run/levain/keys";
/** systemd's place for key files. */
const KEY_DIRECTORY = "/etc/cryptsetup-keys.d";

/** What closing volumes needs. */
export interface SealTools {
  readonly machine: Machine;
  readonly console: Console;
  /** Takes back what the step "root" and those after it have done. */
  readonly release: () => void;
}

/**
 * Closes every encrypted volume before a shell starts, and removes the image's key files: `levain unlock` opens the volumes
 * again for who knows the passphrase. With rdshell=keep a volume stays open that was opened by a passphrase in this boot.
 * Returns true where something was closed, so that the boot goes on from the step "root". Throws BootError where a volume
 * cannot be closed: then there must be no shell.
 */
export function sealVolumes({ machine, console, release }: SealTools, plan: BootPlan | null): boolean {
  removeKeys({ machine, console }, plan);
  const open = listOpenVolumes(machine);
  if (open.length === 0) return false;
  const names = open.map(({ name }) => `/dev/mapper/${printable(name)}`).join(" and ");
  if (plan?.rescue.shell === "keep" && open.every(({ name }) => wasTyped(machine, name))) {
    console.warn(`${names} stays open in this shell (rdshell=keep)`);
    return false;
  }
  release();
  unmountAll(machine, open);
  try {
    removeVolumes(machine);
  } catch (cause) {
    if (!isErrno(cause)) throw cause;
    throw new BootError(`${names} cannot be closed, so no shell is started`, { cause, hint: "switch the machine off" });
  }
  console.warn(`closed ${names} before the shell: \`levain unlock\` opens it again`);
  return true;
}

/** What the undo of the steps has left, or a person has mounted by hand; the newest first. */
function unmountAll(machine: Machine, volumes: readonly Mapping[]): void {
  const isInside = liesIn(
    machine,
    volumes.map(({ device }) => device),
  );
  const numbers = listBlockDeviceNames(machine)
    .filter((name) => isInside({ name }))
    .map((name) => readText(machine, `/sys/class/block/${name}/dev`));
  const liesOn = (source: string) => source.startsWith("/") && numbers.includes(machine.stat(source)?.represents ?? "");
  const isOurs = ({ target, source }: { readonly target: string; readonly source: string }) =>
    liesOn(source) || target === ROOT || target.startsWith("/run/levain/");
  for (const { target } of readMounts(machine).filter(isOurs).reverse()) {
    try {
      machine.unmount(target);
    } catch (error) {
      if (!isErrno(error)) throw error; // in use: then the volume cannot be closed, and that is reported
    }
  }
}

/** Every key file of the image: those that the builder knows, that the crypttab or any word of the command line names, that `plan` reads, and that lie where systemd reads them. */
function listKeys(machine: Machine, plan: BootPlan | null): readonly string[] {
  const places = [...(plan?.crypt.volumes ?? []).flatMap(({ keys }) => keys), ...(plan?.crypt.unnamed.keys ?? [])];
  const inImage = ({ in: where }: BytesPlace) => where === "image";
  const isDirectory = machine.stat(KEY_DIRECTORY)?.kind === "directory";
  const paths = [
    ...parseKeyList(readIfThere(machine, IMAGE_KEY_LIST)),
    ...findTabledKeys(new TextDecoder().decode(readIfThere(machine, "/etc/crypttab"))),
    ...findKeyPaths(readIfThere(machine, "/proc/cmdline")),
    ...places.filter(inImage).map(({ path }) => path),
    ...(isDirectory ? machine.listDirectory(KEY_DIRECTORY) : []).map((name) => `${KEY_DIRECTORY}/${name}`),
  ];
  return [...new Set(paths)].filter((path) => machine.stat(path)?.kind === "file");
}

function readIfThere(machine: Machine, path: string): Uint8Array {
  return machine.stat(path) === null ? new Uint8Array() : machine.readFile(path);
}

/** Writes down for stage0 which files are keys. */
export function saveKeyList(machine: Machine, plan: BootPlan, voice: Voice): void {
  const keys = listKeys(machine, plan);
  if (keys.length === 0) return;
  try {
    machine.makeDirectory(KEY_LIST.slice(0, KEY_LIST.lastIndexOf("/")));
    machine.writeFile(KEY_LIST, keys.map((path) => `${path}\0`).join(""));
  } catch (error) {
    if (!isErrno(error)) throw error;
    voice.warn(`the list of key files cannot be written: ${describeRefusal(error)}`);
  }
}

function removeKeys({ machine, console }: Pick<SealTools, "machine" | "console">, plan: BootPlan | null): void {
  for (const path of listKeys(machine, plan)) {
    try {
      machine.wipeFile(path);
      console.warn(`removed the key file ${printable(path)} of this image before the shell`);
    } catch (error) {
      if (!isErrno(error)) throw error;
      throw new BootError(`the key file ${printable(path)} cannot be removed, so no shell is started`, {
        cause: new BootError(describeRefusal(error)),
        hint: "switch the machine off",
      });
    }
  }
}
