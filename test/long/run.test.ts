import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { rawCpio } from "../support/crafted-cpio.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { GUEST_WORDS } from "../support/guest-words.ts";
import { debianKernel } from "../support/kernels.ts";
import { LEVAIN } from "../support/levain-image.ts";
import { startsGuest } from "../support/starts-guest.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";

// A unified kernel image as `levain run` starts it: without firmware, and by UEFI, each time with a disk.

const CMDLINE = `${GUEST_WORDS} root=LABEL=RUN`;

/** A unified kernel image that begins with microcode; the /lib/firmware with it is seen by this command only. */
async function unifiedImage(): Promise<string> {
  const directory = scratchDirectory();
  const [library, output] = [join(directory, "lib"), join(directory, "with microcode.efi")];
  mkdirSync(join(library, "firmware/amd-ucode"), { recursive: true });
  writeFileSync(join(library, "firmware/amd-ucode/microcode_amd.bin"), "not for this CPU");
  const { vmlinuz, modulesDir } = await debianKernel("cloud");
  const mount = 'lib=$(readlink -f /lib); mount -t overlay overlay -o "lowerdir=$1:$lib" "$lib"; shift; exec "$@"';
  const words = ["--uki", "--linux", vmlinuz, "--cmdline", CMDLINE, "--microcode", "--network", "--compress", "lz4:1"];
  await run([
    ...["unshare", "--mount", "sh", "-euc", mount, "sh", library],
    ...[LEVAIN, "image", "--modules-dir", modulesDir, "--output", output, ...words],
  ]);
  return output;
}

test.each([
  { name: "without firmware, with its own command line", words: [], network: /^/ },
  {
    name: "by UEFI firmware, on a network",
    words: ["--uefi", "--network", "--cmdline", `${CMDLINE} ip=dhcp rd.neednet=1`],
    network: / network +eth0 10\.0\.2\.15/m,
  },
])(
  "levain run boots a unified kernel image with microcode $name",
  async ({ name, words, network }) => {
    const argv = ["run", await unifiedImage(), "--disk", await rootImage("ext4", { label: "RUN" }), ...words];
    const { status, stdout } = await startsGuest(name, argv, "small-root: ready", "poweroff -f\n");
    expect(stdout).toMatch(/ root +\/dev\/vda ext4 "RUN"/m);
    expect(stdout).toMatch(network);
    expect(status).toBe(0);
  },
  QUEUE_TIMEOUT_MS,
);

test(
  "levain run ends with status 1 when the guest's kernel panics",
  async () => {
    const image = join(scratchDirectory(), "empty, or nearly.img");
    writeFileSync(image, rawCpio([{ name: "readme", data: "no init" }]));
    const { vmlinux } = await debianKernel("cloud");
    const argv = ["run", image, "--kernel", vmlinux, "--cmdline", "mitigations=off cryptomgr.notests"];
    const { status, stderr } = await startsGuest("levain run, panic", argv);
    expect(stderr).toContain("the guest's kernel panicked: VFS: Unable to mount root fs");
    expect(status).toBe(1);
  },
  QUEUE_TIMEOUT_MS,
);
