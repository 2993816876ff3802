import { expect, test } from "bun:test";
import { ELF, fakeBoot, INITRAMFS, ROOT_TREE, stick } from "../support/fake-boot.ts";
import { fakeImage } from "../support/fake-images.ts";

const HOST = { shares: { host: { type: "9p", tree: ROOT_TREE } }, filesystems: ["9p"] } as const;
const MODULES = "/lib/modules/6.1.0-fake";

test("a root of 9p, by its tag", () => {
  for (const cmdline of ["root=9p:host rw", "rootfstype=9p root=host rw", "root=host rw rootfstype=9p"]) {
    const { journal, end } = fakeBoot({ cmdline, ...HOST });
    expect(end).toMatchObject({ mode: "switch_root", root: "/sysroot", init: "/sbin/init" });
    expect(journal).toContain("mount 9p host at /sysroot (trans=virtio)");
  }
});

test("a root of virtiofs, read-only by default, with options and an init of the user", () => {
  const { journal, console, end } = fakeBoot({
    cmdline: "root=virtiofs:/dev/root rootflags=dax init=/bin/sh",
    shares: { "/dev/root": { type: "virtiofs", tree: { ...ROOT_TREE, "/bin/sh": { data: ELF, mode: 0o755 } } } },
    filesystems: ["virtiofs"],
  });
  expect(end).toMatchObject({ init: "/bin/sh" });
  expect(journal).toContain("mount virtiofs /dev/root at /sysroot (ro,dax)");
  expect(console).toContain("virtiofs:/dev/root, without a block device");
});

test("options of the user replace those that levain adds", () => {
  const { journal } = fakeBoot({
    cmdline: "root=9p:host rootflags=trans=virtio,version=9p2000.u,cache=loose",
    ...HOST,
  });
  expect(journal).toContain("mount 9p host at /sysroot (ro,trans=virtio,version=9p2000.u,cache=loose)");
});

test("a tmpfs over a shared directory, and an image in one", () => {
  expect(fakeBoot({ cmdline: "root=9p:host rd.overlay", ...HOST }).mounts).toEqual(
    expect.arrayContaining(["/sysroot/run/levain/lower 9p host", "/sysroot overlay overlay"]),
  );
  const { squashfs } = stick();
  const shares = { host: { type: "9p", tree: { "/LiveOS/squashfs.img": squashfs.bytes } } } as const;
  for (const cmdline of ["root=live:9p:host", "root=9p:host rd.image=/LiveOS/squashfs.img"]) {
    const { journal, end } = fakeBoot({
      cmdline,
      ...HOST,
      shares,
      filesystems: ["9p", "squashfs"],
      images: [squashfs],
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(journal).toContain("mount 9p host at /run/levain/medium (ro,trans=virtio)");
    expect(journal).toContain("mount squashfs /dev/loop0 at /run/levain/lower (ro)");
  }
});

test("the modules of the filesystem and of its transport", () => {
  const files = {
    ...INITRAMFS,
    [`${MODULES}/modules.dep`]: "kernel/fs/9p/9p.ko:\nkernel/net/9p/9pnet_virtio.ko:\n",
    [`${MODULES}/modules.alias`]: "alias fs-9p 9p\n",
    [`${MODULES}/kernel/fs/9p/9p.ko`]: "module",
    [`${MODULES}/kernel/net/9p/9pnet_virtio.ko`]: "module",
  };
  const modules = { "9p": { filesystems: ["9p"] }, "9pnet_virtio": {} };
  const { journal, end } = fakeBoot({ cmdline: "root=9p:host", shares: HOST.shares, files, modules });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(journal.filter((line) => line.startsWith("load"))).toEqual([
    `load ${MODULES}/kernel/net/9p/9pnet_virtio.ko`,
    `load ${MODULES}/kernel/fs/9p/9p.ko`,
  ]);
});

test("the compressors that ubifs would have modprobe load come before it", () => {
  const paths = ["crypto/zstd.ko", "drivers/mtd/ubi/ubi.ko", "fs/ubifs/ubifs.ko"].map((path) => `kernel/${path}`);
  const files = {
    ...INITRAMFS,
    [`${MODULES}/modules.dep`]: `${paths.slice(0, 2).join(":\n")}:\n${paths[2]}: ${paths[1]}\n`,
    [`${MODULES}/modules.alias`]: "alias fs-ubifs ubifs\nalias crypto-zstd zstd\n",
    ...Object.fromEntries(paths.map((path) => [`${MODULES}/${path}`, "module"])),
  };
  const { journal, end } = fakeBoot({
    cmdline: "root=ubi0:rootfs",
    shares: { "ubi0:rootfs": { type: "ubifs", tree: ROOT_TREE } },
    files,
    modules: { zstd: {}, ubi: {}, ubifs: { filesystems: ["ubifs"] } },
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(journal.filter((line) => line.startsWith("load"))).toEqual(paths.map((path) => `load ${MODULES}/${path}`));
});

test("a tag that appears later is waited for, and one that does not is reported", () => {
  const shares = { host: { type: "9p", tree: ROOT_TREE, fromMs: 9000 } } as const;
  const late = fakeBoot({ cmdline: "root=9p:host rd.timeout=60", ...HOST, shares });
  expect(late.end).toMatchObject({ mode: "switch_root" });
  expect(late.console).toContain("waiting for host");
  const { console, endMs } = fakeBoot({ cmdline: "root=9p:other rd.timeout=20", ...HOST });
  expect(console).toContain("could not mount other at /sysroot");
  expect(console).toContain("9p: no such file or directory (ENOENT)");
  expect(endMs).toBeWithin(20_000, 25_000);
});

test("what cannot be verified or unlocked is not accepted in silence", () => {
  const hash = "a".repeat(64);
  expect(
    fakeBoot({ cmdline: `root=9p:host rd.verity.roothash=${hash}`, ...HOST }).record.failure?.join("\n"),
  ).toContain("the root is no block device and no image, so nothing would be verified");
  expect(fakeBoot({ cmdline: "root=9p:host rd.luks.uuid=0a1b2c3d", ...HOST }).console).toContain(
    "encrypted volumes are not unlocked",
  );
});

test("changes to a shared directory can be kept on a disk", () => {
  const { end, journal } = fakeBoot({
    cmdline: "root=9p:host rd.overlay=LABEL=STORE",
    ...HOST,
    filesystems: ["9p", "ext4"],
    disks: [{ name: "vda", image: fakeImage("ext4", { label: "STORE", sizeBytes: 4 << 20 }) }],
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(journal.join("\n")).toContain("mount ext4 /dev/vda at /run/levain/store");
});

test("an image in a shared directory is copied to memory, and the directory is released", () => {
  const { squashfs } = stick();
  const { end, mounts } = fakeBoot({
    cmdline: "root=live:9p:host rd.live.ram",
    ...HOST,
    shares: { host: { type: "9p", tree: { "/LiveOS/squashfs.img": squashfs.bytes } } },
    filesystems: ["9p", "squashfs"],
    images: [squashfs],
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(mounts.filter((line) => line.includes("9p"))).toEqual([]);
});
