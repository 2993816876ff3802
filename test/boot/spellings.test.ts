import { describe, expect, test } from "bun:test";
import { retryBoot } from "../../src/rescue/commands/retry.ts";
import { type FakeBootOptions, fakeBoot, ROOT_TREE, rootImage } from "../support/fake-boot.ts";
import { type FakeImage, fakeImage, partitionDisk } from "../support/fake-images.ts";

const withRoot = (cmdline: string, more: FakeBootOptions = {}): FakeBootOptions => ({
  cmdline,
  disks: [{ name: "vda", image: rootImage() }],
  ...more,
});

/** The console without its line breaks. */
const unwrapped = (options: FakeBootOptions) => fakeBoot(options).console.replaceAll(/\n +/g, " ");

test.each([
  ["root=/dev/mapper/ubuntu--vg-ubuntu--lv", "LVM"],
  ["root=/dev/md0 quiet", "Linux RAID (md)"],
])("a root that levain does not set up yet is named at boot: %s", (cmdline, layer) => {
  const [spec] = cmdline.slice("root=".length).split(" ");
  expect(unwrapped(withRoot(`${cmdline} rd.timeout=1`))).toContain(
    `warning   ${spec} is a name of ${layer}: ${layer} is not supported yet`,
  );
});

test("ostree= is refused by name", () => {
  expect(unwrapped(withRoot("root=LABEL=ROOT ostree=/ostree/boot.1/x"))).toContain(
    "ostree=: OSTree is not supported yet, so another root would be booted",
  );
});

describe("a misspelled parameter is warned about", () => {
  test("on the command line, even with quiet", () => {
    const console = unwrapped(withRoot("root=LABEL=ROOT quiet rd.overlaay=1 rd.lvm=0 nvme.io_timeout=5"));
    expect(console).toContain(
      "rd.overlaay on the kernel command line is not a parameter of levain, ignoring it: did you mean rd.overlay?",
    );
    expect(console).not.toContain("nvme");
    expect(console).not.toContain("rd.lvm");
  });

  test("in the image", () => {
    const manifest = JSON.stringify({ version: 1, kernel: null, parameters: ["rootdeley=60"] });
    expect(unwrapped(withRoot("root=LABEL=ROOT", { files: { "/etc/levain.json": manifest } }))).toContain(
      "rootdeley in levain.toml is not a parameter of levain, ignoring it: did you mean rootdelay=?",
    );
  });

  test("in levain retry, which refuses it", () => {
    const refusals: string[] = [];
    fakeBoot(
      withRoot("root=LABEL=NONE rd.timeout=1", {
        person: [
          (machine) => {
            try {
              retryBoot(machine, ["rootfsflags=noatime"]);
            } catch (error) {
              refusals.push(String(error));
            }
          },
        ],
      }),
    );
    expect(refusals.join()).toContain("unknown parameter rootfsflags in levain retry (did you mean rootflags=?)");
  });
});

describe("an image of a whole disk", () => {
  const inner = fakeImage("ext4", { label: "INNER" }, ROOT_TREE);
  const other = fakeImage("ext4", { label: "OTHER" });
  const esp = { image: fakeImage("vfat", { label: "ESP" }), type: "c12a7328-f81f-11d2-ba4b-00a0c93ec93b" };
  const boot = (
    parts: Parameters<typeof partitionDisk>[0],
    line = "rd.image=/disk.img",
    more: readonly FakeImage[] = [],
  ) =>
    fakeBoot({
      cmdline: `root=LABEL=STORE ${line}`,
      disks: [
        { name: "vda", image: fakeImage("ext4", { label: "STORE" }, { "/disk.img": partitionDisk(parts).bytes }) },
      ],
      images: [inner, other, ...more],
    });

  test("boots its root partition", () => {
    const { end, console, journal } = boot([esp, { image: inner }]);
    expect(console).toContain("/disk.img partition 2 (ext4)");
    expect(journal).toContain("mount ext4 /dev/loop0 at /run/levain/lower (ro)");
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("can be a layer, or hold the images of a live medium", () => {
    const top = fakeImage("squashfs", {}, { "/etc/top": "" });
    const layered = fakeBoot({
      cmdline: "root=LABEL=ROOT rd.layer=/disk.img",
      disks: [{ name: "vda", image: rootImage("ROOT", { "/disk.img": partitionDisk([esp, { image: top }]).bytes }) }],
      images: [top],
    });
    expect(layered.console).toContain("/disk.img partition 2 (squashfs)");
    const squashfs = fakeImage("squashfs", {}, ROOT_TREE);
    const live = fakeImage("vfat", { label: "LIVE" }, { "/live/filesystem.squashfs": squashfs.bytes });
    const { end, console } = fakeBoot({
      cmdline: "boot=live findiso=/stick.img",
      disks: [{ name: "vda", image: fakeImage("ext4", {}, { "/stick.img": partitionDisk([{ image: live }]).bytes }) }],
      images: [live, squashfs],
    });
    expect(console).toContain("/stick.img partition 1 (vfat)");
    expect(end).toMatchObject({ mode: "switch_root" });
  });

  test("whose root is not clear is reported with its partitions", () => {
    const { end, console, mounts } = boot([esp, { image: other, name: "boot" }, { image: inner }]);
    expect(end).toBe("poweroff");
    expect(console).toContain("the image /disk.img is that of a whole disk");
    expect(console.replaceAll(/\n +/g, " ")).toContain(
      'seen: partition 1: vfat "ESP" partition 2: ext4 "OTHER" "boot" partition 3: ext4 "INNER"',
    );
    expect(mounts.join()).not.toContain("loop");
  });
});
