import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Hints, parseHints } from "../../src/desk/hints/schema.ts";
import { askText } from "../support/ask.ts";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { keyFile } from "../support/encrypted-volumes.ts";
import { debianKernel } from "../support/kernels.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { LEVAIN } from "../support/levain-image.ts";
import { LVM_LUKS_UUID, lvmDisks } from "../support/lvm-disks.ts";
import type { Vm } from "../support/qemu.ts";
import { readCpio } from "../support/read-cpio.ts";
import { vmTest } from "../support/vm-test.ts";
import { withVm } from "../support/with-vm.ts";

const image = async () => ({ files: { "/etc/key": await keyFile() } });

const OPENED = `crypted-pool-tpool crypted-pool_tdata crypted-pool_tmeta crypted-root luks-${LVM_LUKS_UUID.below} all-42`;

/** Waits for the small root in a thin volume in LUKS on a mirror, where no other volume is open. */
async function expectRoot(vm: Vm): Promise<void> {
  await vm.expect(/^ {2}root +\/dev\/mapper\/crypted-root ext4 "INSIDE"/m);
  await vm.expect("small-root: ready");
  vm.send("cat /sys/block/dm-*/dm/name | sort | tr '\\n' ' '; echo all-$((40 + 2))\n");
  await vm.expect(OPENED);
}

vmTest(
  "a thin volume in LUKS on a mirror is the root, and a volume beside it with LUKS stays closed; the image of its own hints boots it without a parameter",
  async () =>
    levainGuest({
      disks: [...(await lvmDisks("INSIDE")), ...(await lvmDisks("ABOVE"))],
      cmdline: `root=/dev/crypted/root rd.luks.uuid=${LVM_LUKS_UUID.below} rd.luks.key=/etc/key rd.putold=/initrd`,
      image: await image(),
    }),
  async (vm) => {
    await expectRoot(vm);
    const text = await askText(vm, "/initrd/init host --json");
    await vm.stop();
    const { initrd, modules } = await hostImage(parseHints(text.slice(text.indexOf("{")), "the guest"));
    // ext4 and the drivers of the disk, which most boots load, are plain files in the second archive.
    const ciphers = ["aesni-intel", "cryptd", "crypto_simd", "ecb", "xts"];
    const thin = ["dm-thin-pool", "dm-bio-prison", "dm-bufio", "dm-persistent-data", "libcrc32c", "crc32c-intel"];
    expect(modules).toEqual([...ciphers, "dm-crypt", "dm-mod", "md-mod", "raid1", ...thin].sort());
    const disks = [...(await lvmDisks("INSIDE")), ...(await lvmDisks("ABOVE"))].map((file) => ({ file }));
    const options = { name: "LVM in LUKS, by its hints", initrd, disks, cmdline: "rd.luks.key=/etc/key" };
    await withVm(options, 120_000, expectRoot);
  },
);

/** An image for the machine of these hints, and the names of the modules in its first archive. */
async function hostImage(hints: Hints) {
  const directory = scratchDirectory();
  const [initrd, file] = [join(directory, "image"), join(directory, "hints.json")];
  writeFileSync(file, JSON.stringify(hints));
  const { modulesDir } = await debianKernel("cloud");
  const words = [`--host=${file}`, "--modules-dir", modulesDir, "--add", `${await keyFile()}:/etc/key`];
  await run([LEVAIN, "image", "--output", initrd, "--compress", "lz4:1", ...words]);
  const names = readCpio(readFileSync(initrd)).members.map(({ name }) => /([^/]+)\.ko(?:\.gz)?$/.exec(name)?.[1] ?? "");
  return { initrd, modules: names.filter((name) => name !== "").sort() };
}

vmTest(
  "LUKS in LVM is the root",
  async () =>
    levainGuest({
      disks: await lvmDisks("ABOVE"),
      cmdline: `root=/dev/mapper/inner rd.luks.name=${LVM_LUKS_UUID.above}=inner rd.luks.key=/etc/key`,
      image: await image(),
    }),
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/mapper\/inner ext4 "ABOVE"/m);
    await vm.expect("small-root: ready");
  },
);
