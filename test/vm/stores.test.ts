import { expect, test } from "bun:test";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { askText } from "../support/ask.ts";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { copyDisk } from "../support/copy-disk.ts";
import { filesImage } from "../support/disk-images.ts";
import { encryptedDisks } from "../support/encrypted-disks.ts";
import { PASSPHRASE } from "../support/encrypted-volumes.ts";
import { rootImage, treeImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { debianIso, textTree } from "../support/live-media.ts";
import type { Vm } from "../support/qemu.ts";
import type { Disk } from "../support/qemu-arguments.ts";
import { answer } from "../support/unlocking.ts";
import { QUEUE_TIMEOUT_MS, vmTest } from "../support/vm-test.ts";
import { withVm } from "../support/with-vm.ts";

// Changes that stay on a disk, over several boots: the files of the disks are written to.

const MIB = 2 ** 20;

function copyOf(file: string): string {
  const copy = join(scratchDirectory(), "disk");
  copyDisk(file, copy);
  return copy;
}

/** An ext4 of this size with a label. */
async function ext4(label: string, sizeMib: number, options: readonly string[] = []): Promise<string> {
  const file = join(scratchDirectory(), "ext4");
  writeFileSync(file, "");
  truncateSync(file, sizeMib * MIB);
  await run(["mkfs.ext4", "-q", "-L", label, ...options, file]);
  return file;
}

const kept = (file: string): Disk => ({ file, keepsWrites: true });
const hash = (file: string) => new Bun.CryptoHasher("sha256").update(readFileSync(file)).digest("hex");

async function session(
  disks: readonly (string | Disk)[],
  cmdline: string,
  body: (vm: Vm) => Promise<void>,
): Promise<void> {
  const options = await levainGuest({ disks, cmdline });
  await withVm({ ...options, name: cmdline }, 120_000, body);
}

async function leave(vm: Vm): Promise<void> {
  vm.send("sync; mount -o remount,ro / 2>/dev/null; sync; poweroff -f\n");
  await vm.expectExit();
}

test.concurrent(
  "a directory of a partition: the next boot sees the changes; places that cannot keep changes are refused; read-only writes not a byte",
  async () => {
    const root = await filesImage("vfat", { "/newroot.sfs": await rootImage("squashfs-zstd") }, { label: "FLASH" });
    const data = await ext4("DATA", 32);
    const full = await ext4("FULL", 1);
    const medium = "root=LABEL=FLASH rd.image=/newroot.sfs";

    await session([root, kept(data)], `${medium} rd.overlay=LABEL=DATA:/changes`, async (vm) => {
      await vm.expect("small-root: ready");
      await askText(vm, "echo first > /etc/mine; rm /etc/passwd");
      expect(await askText(vm, "cat /proc/mounts")).toContain("/run/levain/store ext4 rw");
      await leave(vm);
    });

    const before = hash(data);
    await session([root, kept(data), full], `${medium} rd.overlay=LABEL=FLASH`, async (vm) => {
      await vm.expect(/LABEL=FLASH cannot keep changes: \/dev\/vda holds vfat/);
      await vm.expect(PROMPT);
      expect(await askText(vm, "grep store /proc/mounts")).toBe("");
      vm.send("levain retry rd.overlay=LABEL=FULL\n");
      await vm.expect("no space for changes is left on LABEL=FULL");
      await vm.expect(PROMPT);
      vm.send("levain retry rd.overlay=LABEL=NONE rd.timeout=1 rd.overlay.policy=ask\n");
      await vm.expect(/lost at\s+shutdown\? \(y\/n\) /);
      vm.send("n");
      await vm.expect("could not find the device for the changes, LABEL=NONE\n");
      await vm.expect(PROMPT);
      vm.send("levain retry rd.overlay=LABEL=DATA:/changes rd.overlay.readonly\n");
      await vm.expect("small-root: ready");
      expect(await askText(vm, "cat /etc/mine; ls /etc/passwd; echo second > /etc/mine")).toContain("first");
      expect(await askText(vm, "cat /etc/mine; ls /etc")).not.toContain("passwd");
      await leave(vm);
    });
    expect(hash(data)).toBe(before);
  },
  QUEUE_TIMEOUT_MS,
);

test.concurrent(
  "an image file on the medium itself, a FAT; another system's changes are refused, and rd.overlay.reset starts again",
  async () => {
    const changes = await ext4("CHANGES", 16);
    const files = {
      "/newroot.sfs": await rootImage("squashfs-zstd"),
      "/other.sfs": await rootImage("squashfs-zstd", {}, { "/etc/other": { text: "other\n" } }),
      "/changes.img": changes,
    };
    const stick = copyOf(await filesImage("vfat", files, { label: "FLASH" }));
    const cmdline = "root=LABEL=FLASH rd.overlay=LABEL=FLASH:/changes.img";

    await session([kept(stick)], `${cmdline} rd.image=/newroot.sfs`, async (vm) => {
      await vm.expect("small-root: ready");
      await askText(vm, "mkdir -p /a/b; echo first > /a/b/mine");
      const mounts = await askText(vm, "cat /proc/mounts");
      expect(mounts).toMatch(/\/run\/levain\/medium vfat ro/);
      expect(mounts).toMatch(/\/run\/levain\/store ext4 rw/);
      await leave(vm);
    });

    await session([kept(stick)], `${cmdline} rd.image=/other.sfs`, async (vm) => {
      await vm.expect("the changes on LABEL=FLASH:/changes.img belong to another system");
      await vm.expect(PROMPT);
      vm.send("levain retry rd.overlay.reset\n");
      await vm.expect("small-root: ready");
      expect(await askText(vm, "ls /a; cat /etc/other; ls -A /run/levain/store")).toMatch(
        /other[\s\S]*levain\.json[\s\S]*upper/,
      );
      await leave(vm);
    });
  },
  QUEUE_TIMEOUT_MS,
);

// An encrypted volume that keeps the changes of a medium that is not is in exit-inits.test.ts.

// live-boot(7) of Debian 12 (live-boot-doc), persistence-encryption.
vmTest(
  "the live system's persistence volume is a LUKS volume",
  async () => {
    const inside = await treeImage("ext4", textTree({ "persistence.conf": "/ union\n" }), { label: "persistence" }, 16);
    const recipe = { type: "luks2", options: "--label persistence", keys: [PASSPHRASE], inside } as const;
    const { persistence } = await encryptedDisks({ persistence: recipe });
    const words = "boot=live persistence persistence-encryption=luks rd.overlay.policy=required";
    return levainGuest({ disks: [await debianIso(), kept(copyOf(persistence.volume))], cmdline: words });
  },
  async (vm) => {
    await answer(vm, PASSPHRASE);
    await vm.expect("small-root: ready");
    const text = await askText(vm, "echo mine > /etc/mine; ls /run/live/persistence/*/rw/etc; cat /proc/mounts");
    expect(text).toMatch(/mine[\s\S]*\/dev\/mapper\/\S+ \/run\/levain\/store-persistence\/0 ext4 rw/);
  },
);

vmTest(
  "stores without file types in their directories (ext4, XFS), one that folds case, and a write-protected one are refused, and changes go elsewhere on a retry",
  async () => {
    const [noTypes, folded, locked, good] = await Promise.all([
      ext4("NOTYPES", 16, ["-O", "^filetype"]),
      ext4("FOLDED", 16, ["-O", "casefold"]),
      ext4("LOCKED", 16),
      ext4("GOOD", 16),
    ]);
    // Of a RHEL 7 before 7.3; the 300 MiB are a hole.
    const old = join(scratchDirectory(), "xfs");
    await run(["mkfs.xfs", "-q", "-m", "crc=0", "-n", "ftype=0", "-L", "OLDXFS", "-d", `name=${old},size=300m,file`]);
    const root = await rootImage("ext4", { label: "ROOT" });
    const others = [kept(noTypes), kept(folded), { file: locked, readOnly: true }, kept(good), kept(old)];
    const disks: Disk[] = [{ file: root }, ...others];
    return levainGuest({ disks, cmdline: "root=LABEL=ROOT rd.overlay=LABEL=NOTYPES" });
  },
  async (vm) => {
    await vm.expect(/LABEL=NOTYPES cannot keep changes: \/dev\/vd[a-z] holds ext4/);
    await vm.expect(PROMPT);
    vm.send("levain retry rd.overlay=LABEL=OLDXFS\n");
    await vm.expect(/LABEL=OLDXFS cannot keep changes: \/dev\/vd[a-z] holds xfs/);
    await vm.expect(PROMPT);
    vm.send("levain retry rd.overlay=LABEL=FOLDED\n");
    await vm.expect(/LABEL=FOLDED cannot keep changes: \/dev\/vd[a-z] holds ext4/);
    await vm.expect(PROMPT);
    vm.send("levain retry rd.overlay=LABEL=LOCKED\n");
    await vm.expect(/changes cannot be written to LABEL=LOCKED \(\/dev\/vd[a-z]\)/);
    await vm.expect(PROMPT);
    vm.send("levain retry rd.overlay=LABEL=GOOD\n");
    await vm.expect("small-root: ready");
    expect(await askText(vm, "cat /proc/mounts")).toMatch(/\/dev\/vd[a-z] \/run\/levain\/store ext4 rw/);
  },
);
