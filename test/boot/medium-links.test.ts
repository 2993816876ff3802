import { expect, test } from "bun:test";
import { fakeBoot, ROOT_TREE } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { fakeImage } from "../support/fake-images.ts";

const squashfs = fakeImage("squashfs", {}, ROOT_TREE);
const NAME = { label: "FLASH", uuid: "0a1b2c3d-0000-4000-8000-00000000f1a5" };

/** Boots from a medium with these files; the initramfs has an image of its own, which must not be found. */
function bootFrom(files: FakeTree, words: string) {
  return fakeBoot({
    cmdline: `root=LABEL=FLASH rd.timeout=1 rd.emergency=poweroff ${words}`,
    disks: [{ name: "sda", image: fakeImage("ext4", NAME, files) }],
    images: [squashfs],
    files: { "/images/own.sfs": squashfs.bytes },
  });
}

test("links on the medium resolve as if it were the root", () => {
  const files = {
    "/newroot.sfs": { link: "/images/today.sfs" },
    "/images": { link: "../../../../store" },
    "/store/today.sfs": squashfs.bytes,
  };
  for (const words of ["rd.image=/newroot.sfs", "rd.image=/newroot.sfs rd.live.ram"]) {
    expect(bootFrom(files, words).end).toMatchObject({ mode: "switch_root", init: "/sbin/init" });
  }
});

test("no link leads to a file of the initramfs, or to a device or pipe", () => {
  for (const link of ["/images/own.sfs", "../../../../images/own.sfs", "/proc/kmsg", "/dev/console", "newroot.sfs"]) {
    const { end, console } = bootFrom({ "/newroot.sfs": { link } }, "rd.image=/newroot.sfs");
    expect(end).toBe("poweroff");
    expect(console).toContain("the medium has no image /newroot.sfs\n");
    expect(console).toContain("seen: newroot.sfs\n");
  }
});

test("nor does one as a layer or ISO file, or inside an image", () => {
  const own = { link: "/images/own.sfs" };
  const layer = bootFrom({ "/base.sfs": squashfs.bytes, "/top.sfs": own }, "rd.image=/base.sfs rd.layer=/top.sfs");
  expect(layer.console).toContain("the medium has no image /top.sfs\n");
  const iso = bootFrom({ "/live.iso": own }, "rd.image=/base.sfs iso-scan/filename=/live.iso");
  expect(iso.console).toContain("the medium has no image /live.iso\n");
  const outer = fakeImage("squashfs", {}, { ...ROOT_TREE, "/LiveOS/rootfs.img": own });
  const inner = fakeBoot({
    cmdline: "root=live:LABEL=FLASH",
    disks: [{ name: "sda", image: fakeImage("ext4", NAME, { "/LiveOS/squashfs.img": outer.bytes }) }],
    images: [squashfs, outer],
    files: { "/images/own.sfs": squashfs.bytes },
  });
  expect(inner.end).toMatchObject({ mode: "switch_root" });
  expect(inner.journal.filter((line) => line.startsWith("loop "))).toHaveLength(1);
});

test("live-boot's directory and list of layers resolve inside the medium too", () => {
  const live = (files: FakeTree) =>
    fakeBoot({
      cmdline: "boot=live rd.timeout=1 rd.emergency=poweroff",
      disks: [{ name: "sda", image: fakeImage("ext4", NAME, files) }],
      images: [squashfs],
      files: { "/images/own.squashfs": squashfs.bytes, "/images/own.module": "own.squashfs" },
    });
  expect(live({ "/live": { link: "/images" } }).end).toBe("poweroff");
  expect(live({ "/live": { link: "/medium" }, "/medium/a.squashfs": squashfs.bytes }).end).toMatchObject({
    mode: "switch_root",
  });
  const listed = live({
    "/live/a.squashfs": squashfs.bytes,
    "/live/filesystem.module": { link: "/images/own.module" },
  });
  expect(listed.end).toMatchObject({ mode: "switch_root" });
  expect(listed.console).not.toContain("own.squashfs");
});
