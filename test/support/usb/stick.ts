// Sticks that `levain usb` makes on a Debian with the packages of docs/recipes.md.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../cache.ts";
import { run, runScript } from "../command.ts";
import { debianMirror } from "../debian-packages.ts";
import { GUEST_WORDS } from "../guest-words.ts";
import { debianKernel } from "../kernels.ts";
import { LEVAIN } from "../levain-image.ts";
import { runOnRecipeMachine } from "../recipes/machine.ts";
import { smallRoot } from "../root-tree.ts";

/** The passphrase of encrypted sticks; a file with it is `passphrase`. */
export const PASSPHRASE = "rye and water";

/** Links, not copies: the modules are many, and nothing writes to them. */
const PREPARE = `cp -al "$1" "$4/root" 2> /dev/null || cp -a "$1" "$4/root"
cp -al "$2" "$4/modules" 2> /dev/null || cp -a "$2" "$4/modules"
cp "$3" "$4/vmlinuz"
printf '%s\\n' "$5" > "$4/passphrase"`;

/** Makes a stick with the small root, Debian's kernel with all drivers, and these options; returns the path of the disk and what `levain usb --json` printed. */
export async function usbStick(...options: readonly string[]) {
  const directory = scratchDirectory();
  const { modulesDir, version, vmlinuz } = await debianKernel("full");
  await runScript(PREPARE, [await smallRoot(), modulesDir, vmlinuz, directory, PASSPHRASE]);
  const kernel = `--kernel ${version} --modules-dir modules --vmlinuz vmlinuz`;
  const given = `--compress zstd:1 --cmdline '${GUEST_WORDS}' ${options.join(" ")}`;
  const script = `levain usb --root root --output disk.img ${kernel} ${given} --json > summary`;
  await runOnRecipeMachine(script, directory);
  return { disk: join(directory, "disk.img"), summary: JSON.parse(readFileSync(join(directory, "summary"), "utf8")) };
}

/** A new Debian as `levain usb` installs it on this host, in an erofs; root's password is `PASSPHRASE`. Needs root; returns the path of the disk. */
export async function debianStick(): Promise<string> {
  const directory = scratchDirectory();
  const [disk, password] = [join(directory, "disk.img"), join(directory, "password")];
  writeFileSync(password, `${PASSPHRASE}\n`);
  const mirror = await debianMirror("bookworm");
  const root = ["--debian", "bookworm", "--mirror", mirror, "--include", "zstd", "--root-password-file", password];
  // A getty that waits for no device: udev takes longer than 90 s in an emulated machine on a busy host.
  const patient = "systemd.getty_auto=no systemd.wants=console-getty.service";
  const cmdline = ["--cmdline", `${GUEST_WORDS} ${patient}`];
  const how = ["--erofs", "--bios", "none", "--label", "rye", "--compress", "zstd:1", ...cmdline];
  await run([LEVAIN, "usb", ...root, ...how, "--output", disk]);
  return disk;
}

/** Copies the Debian itself, as its user would; returns the path of the disk. */
export async function runningStick(): Promise<string> {
  const directory = scratchDirectory();
  const { version } = await debianKernel("cloud");
  const script = `levain usb --from-running --kernel ${version} --cmdline '${GUEST_WORDS}' --output disk.img`;
  await runOnRecipeMachine(script, directory);
  return join(directory, "disk.img");
}
