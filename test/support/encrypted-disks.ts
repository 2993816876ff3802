import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "./cache.ts";
import { run, runScript } from "./command.ts";
import { type FormattedVolume, formatScript, type VolumeDisk } from "./encrypted-disks-script.ts";
import { guestPrograms } from "./guest-programs.ts";
import { packDirectory, writeTree } from "./initramfs.ts";
import { debianKernel } from "./kernels.ts";
import { boot } from "./qemu.ts";
import { BUSYBOX } from "./unpacked-programs.ts";

const MIB = 1024 * 1024;
const MAKE_TIMEOUT_MS = 300_000;
const MODULE_DIRECTORIES = ["crypto", "arch", "drivers/md", "drivers/block", "drivers/virtio", "lib"];
// What glibc looks for when a thread of Argon2's ends.
const LIBGCC = "/lib/x86_64-linux-gnu/libgcc_s.so.1";

/** An encrypted volume that the real cryptsetup makes and fills. */
export interface EncryptedVolume {
  readonly type: "luks1" | "luks2" | "plain";
  /** More words for cryptsetup's luksFormat, or for its open of a plain one, as "-c serpent-xts-plain64 -s 512". */
  readonly options?: string;
  /** LUKS2's; default pbkdf2, which costs less here. */
  readonly kdf?: "argon2id" | "argon2i" | "pbkdf2";
  /** What opens it, keyslot by keyslot: a passphrase, or all bytes of a file of the host. A plain one has one passphrase. */
  readonly keys: readonly (string | { readonly file: string })[];
  readonly hasHeaderApart?: boolean;
  /** The file that fills it, or a volume inside of it. */
  readonly inside: string | EncryptedVolume;
}

/** Raw images. */
export interface EncryptedDisk {
  readonly volume: string;
  /** The detached header; empty where the volume has its own. */
  readonly header: string;
}

/**
 * The volumes by name, made all at once in a guest with Debian's kernel: this host may have no device mapper. They are
 * kept until a recipe or what is inside changes.
 */
export async function encryptedDisks<Name extends string>(
  volumes: Readonly<Record<Name, EncryptedVolume>>,
): Promise<Readonly<Record<Name, EncryptedDisk>>> {
  const named = Object.entries<EncryptedVolume>(volumes);
  const sources = ["encrypted-disks.ts", "encrypted-disks-script.ts"].map((name) =>
    readFileSync(join(import.meta.dir, name), "utf8"),
  );
  const stamps = named.flatMap(([, volume]) => hostFiles(volume)).map((file) => [file, statSync(file).mtimeMs]);
  const directory = await cached("encrypted-disks", recipeKey(sources, volumes, stamps), (target) =>
    fillVolumes(named, target),
  );
  const disks = named.map(([name]) => [
    name,
    { volume: join(directory, name), header: join(directory, `${name}.header`) },
  ]);
  return Object.fromEntries(disks) as Record<Name, EncryptedDisk>;
}

async function fillVolumes(named: readonly (readonly [string, EncryptedVolume])[], target: string): Promise<void> {
  const formatted: FormattedVolume[] = [];
  const disks: VolumeDisk[] = [];
  for (const [index, [name, volume]] of named.entries()) {
    const file = join(target, name);
    await run(["truncate", "-s", `${volumeMib(volume)}M`, file]);
    disks.push({ file, serial: `volume${index}` });
    if (volume.hasHeaderApart) {
      await run(["truncate", "-s", "4M", `${file}.header`]);
      disks.push({ file: `${file}.header`, serial: `header${index}` });
    }
    formatted.push({ volume, serial: `volume${index}`, headerSerial: volume.hasHeaderApart ? `header${index}` : null });
  }
  const insides = [...new Set(named.flatMap(([, volume]) => innermost(volume)))];
  disks.push(...insides.map((file, index) => ({ file, serial: `inside${index}` })));
  await runGuest(
    formatScript(formatted, insides),
    named.flatMap(([, volume]) => keyFiles(volume)),
    disks,
  );
}

/** Room for what is inside, a header, and the tags of dm-integrity. */
function volumeMib(volume: EncryptedVolume): number {
  const { inside, type, options = "" } = volume;
  const insideMib = typeof inside === "string" ? Math.ceil(statSync(inside).size / MIB) : volumeMib(inside);
  return insideMib + (type === "plain" || volume.hasHeaderApart ? 0 : 4) + (options.includes("--integrity") ? 16 : 0);
}

function innermost({ inside }: EncryptedVolume): string {
  return typeof inside === "string" ? inside : innermost(inside);
}

function keyFiles(volume: EncryptedVolume): string[] {
  const own = volume.keys.flatMap((key) => (typeof key === "string" ? [] : [key.file]));
  return typeof volume.inside === "string" ? own : [...own, ...keyFiles(volume.inside)];
}

function hostFiles(volume: EncryptedVolume): string[] {
  return [innermost(volume), ...keyFiles(volume)];
}

/** Boots cryptsetup with these disks, which it writes to, and waits until the script is done. */
async function runGuest(script: string, keys: readonly string[], disks: readonly VolumeDisk[]): Promise<void> {
  const drives = disks.flatMap(({ file, serial }) => {
    const drive = `if=none,id=${serial},format=raw,cache=unsafe,file=${file.replaceAll(",", ",,")}`;
    return ["-drive", drive, "-device", `virtio-blk-pci,drive=${serial},serial=${serial}`];
  });
  const initrd = await guestInitramfs(script, keys);
  const vm = await boot({ name: "encrypted-disks", initrd, cmdline: "quiet", extra: drives, memoryMib: 768 });
  try {
    await vm.expect("encrypted-disks: made", MAKE_TIMEOUT_MS);
    await vm.expectExit();
  } finally {
    await vm.stop();
  }
}

async function guestInitramfs(script: string, keys: readonly string[]): Promise<string> {
  const { modulesDir, version } = await debianKernel("cloud");
  const tree = scratchDirectory();
  writeTree(tree, {
    ...(await guestPrograms("/sbin/cryptsetup", LIBGCC)),
    "/bin/busybox": { file: BUSYBOX },
    "/init": { text: script },
    ...Object.fromEntries(keys.map((file) => [join("/keys", file), { file }])),
  });
  for (const directory of MODULE_DIRECTORIES) {
    const to = join(tree, "lib/modules", version, "kernel", directory);
    await runScript('mkdir -p "$2"; cp -r "$1" "$2"', [join(modulesDir, "kernel", directory), dirname(to)]);
  }
  await runScript('cp "$1"/modules.* "$2"', [modulesDir, join(tree, "lib/modules", version)]);
  return packDirectory(tree);
}
