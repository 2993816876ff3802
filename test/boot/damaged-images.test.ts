import { describe, expect, test } from "bun:test";
import { type FakeBoot, fakeBoot, ROOT_TREE } from "../support/fake-boot.ts";
import { fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";

// The kernel finds most damage of an image only when a file is read, after the handover: an init that cannot be read is a panic.

const image = fakeImage("squashfs", {}, ROOT_TREE);

/** Boots a stick with these bytes as /root.sfs, or with an ISO file that has them as its image. */
function bootImage(
  bytes: Uint8Array,
  { isIso = false, cmdline = "", before = (_: FakeMachine): void => undefined } = {},
): FakeBoot {
  const iso = fakeImage("squashfs", { label: "LIVE" }, { "/live/filesystem.squashfs": bytes });
  const files = isIso ? { "/d.iso": iso.bytes } : { "/root.sfs": bytes };
  return fakeBoot({
    cmdline: `${isIso ? "boot=live findiso=/d.iso" : "root=LABEL=STICK rd.image=/root.sfs"} ${cmdline}`,
    disks: [{ name: "sda", image: fakeImage("vfat", { label: "STICK" }, files) }],
    images: [iso, image, { ...image, bytes }],
    before,
  });
}

function changed(change: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(image.bytes);
  change(bytes);
  return bytes;
}

const words = ({ console }: FakeBoot) => console.replaceAll(/\s+/g, " ");

describe.each([false, true])("an image (of an ISO file: %p)", (isIso) => {
  test("that is shorter than its superblock says is refused before the mount", () => {
    const boot = bootImage(image.bytes.subarray(0, 2048), { isIso });
    expect(boot.end).toBe("poweroff");
    expect(words(boot)).toContain("is shorter than its superblock says: 2048 of 4096 bytes are there");
    expect(boot.journal.join("\n")).not.toContain("at /run/levain/lower");
  });

  test.each([
    ["the inode table", 96],
    ["the directory table", 200],
    ["the table of user and group IDs", 300],
    ["the table of user and group IDs", 400],
  ])("in which %s is empty from byte %p on is refused", (part, from) => {
    const boot = bootImage(
      changed((bytes) => bytes.fill(0, from, 4000)),
      { isIso },
    );
    expect(boot.end).toBe("poweroff");
    expect(words(boot)).toContain(
      `is damaged: ${from === 96 ? "the inode table" : part} is not where its superblock says`,
    );
    expect(words(boot)).toContain("copy it to the medium again, and unmount the medium before you remove it");
  });
});

test("an image that is copied to RAM is checked as well", () => {
  const boot = bootImage(image.bytes.subarray(0, 2048), { cmdline: "rd.live.ram" });
  expect(words(boot)).toContain("is shorter than its superblock says: 2048 of 4096 bytes are there");
  expect(boot.mounts.join("\n")).not.toContain("/run/levain/ram");
});

test("an image whose superblock cannot be read is reported with the cause", () => {
  const boot = bootImage(image.bytes, { before: (machine) => machine.refuse("openReader", "root.sfs", "EIO") });
  expect(boot.end).toBe("poweroff");
  expect(words(boot)).toContain("the device returns I/O errors");
});

test("an image that ends in a read error is reported as unreadable", () => {
  const boot = bootImage(image.bytes, {
    before(machine) {
      const { openReader } = machine;
      machine.openReader = (path) => {
        const reader = openReader(path);
        const read: typeof reader.read = (offset, length) => {
          if (path.endsWith("root.sfs") && offset === 96) machine.readFile("/none");
          return reader.read(offset, length);
        };
        return { ...reader, read };
      };
    },
  });
  expect(words(boot)).toContain("could not read the image /run/levain/medium/root.sfs");
  expect(words(boot)).toContain(
    "check the medium and its cable, and whether an ISO file that holds the image is complete",
  );
});
