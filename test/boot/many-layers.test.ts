import { expect, test } from "bun:test";
import { fakeBoot, ROOT_TREE } from "../support/fake-boot.ts";
import { fakeImage } from "../support/fake-images.ts";

test("300 layers, whose paths are longer than a page, are merged by relative paths", () => {
  const images = Array.from({ length: 300 }, (_, index) => fakeImage("squashfs", {}, index === 0 ? ROOT_TREE : {}));
  const names = images.map((_, index) => `/${index}.sfs`);
  const files = Object.fromEntries(images.map(({ bytes }, index) => [names[index] ?? "", bytes]));
  const layers = names.slice(1).map((name) => `rd.layer=${name}`);
  const { end, journal } = fakeBoot({
    cmdline: `root=LABEL=M rd.image=/0.sfs ${layers.join(" ")}`,
    disks: [{ name: "vda", image: fakeImage("vfat", { label: "M" }, files) }],
    images,
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  const mount = journal.find((line) => line.startsWith("mount overlay")) ?? "";
  expect(mount).toContain("(lowerdir=299:298:");
  expect(mount.length).toBeLessThan(4096);
});
