import { expect, test } from "bun:test";
import { fakeBoot, rootImage } from "../support/fake-boot.ts";
import { fakeImage } from "../support/fake-images.ts";

// How a kernel passes such parameters on, and which numbers its disks have: test/vm/root-names.test.ts, test/vm/root-forms.test.ts.

const latin1 = (text: string) => Buffer.from(text).toString("latin1");

test.each([
  ['"root=LABEL=  rdinit=/bin/sh"', "  rdinit=/bin/sh"],
  ["root=/dev/disk/by-label/a\\x2fb\\x20c\\x22d\\x27$x", "a/b c\"d'$x"],
  ['root="LABEL=a/b c\'d;$x"', "a/b c'd;$x"],
  ["root=LABEL=caf\\xe9", "caf\xe9"],
  ["root=LABEL=Größe", latin1("Größe")],
])("a label of any bytes is found: %s", (cmdline, label) => {
  const { end, journal } = fakeBoot({
    cmdline,
    disks: [
      { name: "vda", image: rootImage("OTHER") },
      { name: "vdb", image: rootImage(label) },
    ],
  });
  expect(journal).toContain("mount ext4 /dev/vdb at /sysroot (ro)");
  expect(end).toMatchObject({ mode: "switch_root", init: "/sbin/init" });
});

const UUID = "0a1b2c3d-0000-4000-8000-00000000abcd";
const EFI_PARTUUID = "11111111-2222-4333-8444-55555555555e";
const ROOT_PARTUUID = "11111111-2222-4333-8444-55555555555f";

test.each([
  ["root=/dev/vda2"],
  [`root=UUID=${UUID.toUpperCase()}`],
  [`root=/dev/disk/by-uuid/${UUID}`],
  [`root=PARTUUID=${ROOT_PARTUUID.toUpperCase()}`],
  [`root=/dev/disk/by-partuuid/${ROOT_PARTUUID}`],
  [`root=PARTUUID=${EFI_PARTUUID}/PARTNROFF=1`],
  ['"root=PARTLABEL=my root"'],
  ['root="LABEL=My Disk"'],
  ["root=/dev/disk/by-label/My\\x20Disk"],
])("a partition has many names: %s", (cmdline) => {
  const { end, journal } = fakeBoot({
    cmdline,
    disks: [
      {
        name: "vda",
        partitions: [
          { image: fakeImage("vfat", { label: "EFI" }), name: "EFI", uuid: EFI_PARTUUID },
          { image: rootImage("My Disk"), name: "my root", uuid: ROOT_PARTUUID },
        ],
      },
    ],
  });
  expect(journal).toContain("mount ext4 /dev/vda2 at /sysroot (ro)");
  expect(end).toMatchObject({ mode: "switch_root" });
});
