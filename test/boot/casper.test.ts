import { describe, expect, test } from "bun:test";
import { type FakeBootOptions, fakeBoot, ROOT_TREE, rootImage } from "../support/fake-boot.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { fakeImage } from "../support/fake-images.ts";

// Ubuntu's live media: https://manpages.ubuntu.com/manpages/noble/man7/casper.7.html, the layout of ubuntu-24.04-desktop-amd64.iso.

const UUID = "0a1b2c3d-0000-4000-8000-0000000000ca";
const NAMES = ["minimal", "minimal.de", "minimal.standard", "minimal.standard.live"] as const;
const LAYER = "layerfs-path=minimal.standard.live.squashfs";

/** A disk with Ubuntu's layers, and the changes; a change to null removes. */
function medium(label: string, changes: FakeTree = {}, root: FakeTree = {}) {
  const images = NAMES.map((name, index) =>
    fakeImage("squashfs", {}, { ...(index === 0 ? { ...ROOT_TREE, ...root } : {}), "/etc/layer": name }),
  );
  const layers = NAMES.map((name, index) => [`/casper/${name}.squashfs`, images[index]?.bytes ?? ""] as const);
  const files = { ...Object.fromEntries(layers), "/.disk/casper-uuid-generic": `${UUID}\n`, ...changes };
  return {
    disk: fakeImage("ext4", { label, uuid: "0a1b2c3d-0000-4000-8000-0000000000bb" }, files as FakeTree),
    images,
  };
}

function bootFrom(cmdline: string, { disk, images }: ReturnType<typeof medium>, more: FakeBootOptions = {}) {
  return fakeBoot({ cmdline: `${cmdline} rd.timeout=1`, disks: [{ name: "sda", image: disk }], images, ...more });
}

const loops = (journal: readonly string[]) =>
  journal.flatMap((line) => /^loop \S*\/casper\/(\S+)\.squashfs/.exec(line)?.[1] ?? []);

describe("layers of casper", () => {
  test("are the top one and those that its name contains, the lowest first", () => {
    const { end, journal } = bootFrom(`boot=casper ${LAYER} --- quiet splash`, medium("U"));
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(loops(journal)).toEqual(["minimal", "minimal.standard", "minimal.standard.live"]);
    expect(journal.find((line) => line.startsWith("mount overlay"))).toContain(
      "lowerdir=/run/levain/lower/2:/run/levain/lower/1:/run/levain/lower/0,upperdir=",
    );
  });

  test("are all images if none is named, with a warning", () => {
    const { end, journal, console } = bootFrom("boot=casper", medium("U"));
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(loops(journal)).toHaveLength(4);
    expect(console).toContain("layerfs-path= names the top one of a system");
    const old = fakeImage("squashfs", {}, ROOT_TREE);
    const files = { "/casper/filesystem.squashfs": old.bytes, "/casper/filesystem.manifest": "bash 5\n" };
    const single = bootFrom("boot=casper", { disk: fakeImage("ext4", { label: "U" }, files), images: [old] });
    expect(single.end).toMatchObject({ mode: "switch_root" });
    expect(single.console).not.toContain("layerfs-path=");
  });

  test("are those of Ubuntu's initramfs if levain was grafted into it, and the command line overrides them", () => {
    const files = {
      "/conf/conf.d/default-boot-to-casper.conf": "export BOOT=casper\n",
      "/conf/conf.d/default-layer.conf": "LAYERFS_PATH=minimal.standard.squashfs\n",
      "/conf/uuid.conf": `${UUID}\n`,
    };
    const own = bootFrom("--- quiet splash", medium("U"), { files });
    expect(own.end).toMatchObject({ mode: "switch_root" });
    expect(loops(own.journal)).toEqual(["minimal", "minimal.standard"]);
    const other = medium("U", { "/.disk/casper-uuid-generic": "another\n" });
    expect(bootFrom("quiet", other, { files }).shells).toBe(1);
    expect(bootFrom("quiet ignore_uuid", other, { files }).end).toMatchObject({ mode: "switch_root" });
    expect(loops(bootFrom(`quiet ${LAYER}`, medium("U"), { files }).journal)).toHaveLength(3);
    const disk = { disks: [{ name: "sda", image: rootImage("ROOT") }], files };
    expect(fakeBoot({ cmdline: "root=LABEL=ROOT", ...disk }).mounts).toContain("/sysroot ext4 /dev/sda");
  });

  test("of which one is missing stop the boot, with the names that are there", () => {
    const { disk, images } = medium("U", { "/casper/a.b.c.squashfs": "x" });
    const { console, shells } = bootFrom("boot=casper layerfs-path=a.b.c.squashfs", { disk, images });
    expect(shells).toBe(1);
    expect(console.replace(/\s+/g, " ")).toContain(
      "the medium lacks /casper/a.squashfs and /casper/a.b.squashfs, on which the top layer lies",
    );
    expect(console.replace(/\s+/g, " ")).toContain("seen: a.b.c.squashfs minimal.de.squashfs minimal.squashfs");
  });
});

describe("the medium of casper", () => {
  const places = (mounts: readonly string[]) =>
    mounts.flatMap((line) => /^\/sysroot(\/(?:cdrom|rofs|isodevice) .*)/.exec(line)?.[1] ?? []);

  test("and the lowest layer are mounted where its tools look", () => {
    expect(places(bootFrom(`boot=casper ${LAYER}`, medium("U")).mounts)).toEqual([
      "/cdrom ext4 /dev/sda",
      "/rofs squashfs /dev/loop0",
    ]);
  });

  test("is not shown once the images are in memory", () => {
    const { mounts, journal } = bootFrom(`boot=casper ${LAYER} toram`, medium("U"));
    expect(places(mounts)).toEqual(["/rofs squashfs /dev/loop0"]);
    expect(journal).toContain("unmount /run/levain/medium");
  });

  test("is not mounted on a link of the root, which may lead anywhere", () => {
    const root = { "/cdrom": { link: "/run/evil" }, "/rofs": "a file" };
    const { end, mounts, console } = bootFrom(`boot=casper ${LAYER}`, medium("U", {}, root));
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(places(mounts)).toEqual([]);
    expect(console).toContain("tools of the live medium may not find /cdrom: the root has a symlink there");
    expect(console).toContain("tools of the live medium may not find /rofs: the root has a file there");
  });

  test("is in an ISO file, whose disk is shown too", () => {
    const { disk, images } = medium("ISO");
    const outer = fakeImage("ext4", { label: "DATA" }, { "/iso/ubuntu.iso": disk.bytes });
    const { end, mounts } = bootFrom(`boot=casper iso-scan/filename=/iso/ubuntu.iso ${LAYER}`, {
      disk: outer,
      images: [disk, ...images],
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(places(mounts)).toEqual(["/cdrom ext4 /dev/loop0", "/isodevice ext4 /dev/sda", "/rofs squashfs /dev/loop1"]);
  });

  test.each([
    ["its file", `uuid=${UUID}`, "sdb"],
    ["the UUID of its filesystem", "uuid=0a1b2c3d-0000-4000-8000-0000000000bb", "sdb"],
    ["ignore_uuid", "uuid=none ignore_uuid", "sda"],
  ])("is chosen by %s", (_name, words, node) => {
    const other = medium("OTHER", { "/.disk/casper-uuid-generic": "another\n" });
    const own = medium("OWN");
    const { mounts } = bootFrom(`boot=casper ${LAYER} ${words}`, own, {
      disks: [
        {
          name: "sda",
          image: {
            ...other.disk,
            bytes: fakeImage("ext4", { label: "OTHER", uuid: "0a1b2c3d-0000-4000-8000-0000000000aa" }).bytes,
          },
        },
        { name: "sdb", image: own.disk },
      ],
      images: [...other.images, ...own.images],
    });
    expect(places(mounts)).toContain(`/cdrom ext4 /dev/${node}`);
  });

  test("with another UUID is not used, and the report says what was searched for", () => {
    const { console, shells } = bootFrom(`boot=casper ${LAYER} uuid=none`, medium("U"));
    expect(shells).toBe(1);
    expect(console.replace(/\s+/g, " ")).toContain(
      "no device with /casper/minimal.standard.live.squashfs of the medium none appeared",
    );
  });

  test("has a file of UUIDs that is long, or a link out of the medium: it is another medium", () => {
    for (const file of ["x".repeat(300), { link: "../../../../../../etc/uuid" }]) {
      const { shells } = bootFrom(
        `boot=casper ${LAYER} uuid=${UUID}`,
        medium("U", { "/.disk/casper-uuid-generic": file }),
        {
          files: { "/etc/uuid": UUID },
        },
      );
      expect(shells).toBe(1);
    }
  });
});
