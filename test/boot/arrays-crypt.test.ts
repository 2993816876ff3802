import { beforeAll, expect, test } from "bun:test";
import { fakeMember } from "../support/fake-arrays.ts";
import { type FakeBootOptions, rootImage } from "../support/fake-boot.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { partitionDisk } from "../support/fake-partitions.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { CRYPT_IMAGE, cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";

// Arrays of Linux RAID that lie in encrypted volumes.

const UUID = "6c657661-696e-4000-8000-0000000000e1";
const OTHER = "11111111-2222-3333-4444-555555555555";
const VOLUME = `luks-${UUID}`;
const SMALL = "--type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2";
const MODULES = "/lib/modules/6.1.0-fake";
const FILES = {
  ...CRYPT_IMAGE.files,
  [`${MODULES}/modules.dep`]: `${CRYPT_IMAGE.files[`${MODULES}/modules.dep`]}kernel/md-mod.ko:\nkernel/raid1.ko: kernel/md-mod.ko\n`,
  ...Object.fromEntries(["md-mod", "raid1"].map((name) => [`${MODULES}/kernel/${name}.ko`, "module"])),
};
const root = rootImage();
const empty = fakeImage("ext4", { label: "ROOT" }, { "/etc/os-release": "" });
const data = fakeImage("ext4", { label: "DATA" });
const alone = (image: FakeImage): FakeImage => ({
  type: "linux_raid_member",
  bytes: fakeMember(image, { place: 0, disks: 1 }),
  root: image.root,
});
let emptyVault: FakeImage;
let dataVault: FakeImage;
let rootVault: FakeImage;
beforeAll(async () => {
  const script = `cryptsetup luksFormat -q ${SMALL} --uuid ${UUID} ${CHEAP} $1 key`;
  emptyVault = await luksDisk({ name: "arrays-empty", script }, alone(empty));
  rootVault = await luksDisk({ name: "arrays-root", script }, root);
  dataVault = await luksDisk({ name: "arrays-data", script }, alone(data));
});

function boot(vault: FakeImage, more: FakeBootOptions) {
  const { journal, ...rest } = cryptBoot({
    images: [root, empty, data],
    disks: [{ name: "vda", image: vault }],
    files: FILES,
    modules: { ...CRYPT_IMAGE.modules, md_mod: {}, raid1: { needs: ["md_mod"] } },
    typing: typed("pass", "pass"),
    ...more,
  });
  return { ...rest, journal, calls: journal.filter((line) => /^(?:start|stop|map|unmap) /.test(line)) };
}

test("before a shell, the array of the root is stopped and its volume closed", () => {
  const { console, calls } = boot(emptyVault, { cmdline: `root=LABEL=ROOT rd.timeout=3 rd.luks.uuid=${UUID}` });
  expect(console).toContain("the root has no init");
  expect(calls.slice(-3)).toEqual(["start md0 1.2 of 253:0", "stop md0", `unmap ${VOLUME}`]);
});

test("an array in a volume that the root is not in is stopped, so that the volume can be closed", () => {
  const later = { name: "vdb", image: root, arrivesAtMs: 9000 };
  const { end, calls } = boot(dataVault, {
    cmdline: "root=LABEL=ROOT rd.timeout=20 rd.auto rdshell=0",
    disks: [{ name: "vda", image: dataVault }, later],
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(calls.slice(2, 4)).toEqual(["stop md0", `unmap ${VOLUME}`]);
});

test("what a person has started in a shell keeps no volume open in the next one, not even an array on a volume on an array", () => {
  const seen: (readonly string[])[] = [];
  const mapped = (machine: FakeMachine, name: string, below: string, sectors: number) =>
    machine.createMapping({
      name,
      uuid: `CRYPT-LUKS2-${name}`,
      readOnly: false,
      targets: [{ type: "linear", startSector: 0, sectors, parameters: Buffer.from(`${below} 0`) }],
    });
  const { calls } = boot(dataVault, {
    cmdline: "root=LABEL=ROOT rd.timeout=3 rd.auto",
    disks: [
      { name: "vda", image: dataVault },
      { name: "vdb", content: fakeMember(alone(data), { place: 0, disks: 1, name: "h:7", uuid: OTHER }) },
    ],
    person: [
      (machine) => {
        const outer = mapped(machine, "outer", "8:16", 8192);
        machine
          .startArray({ name: "md5", metadata: "1.2", members: [`253:${outer.device.slice("dm-".length)}`] })
          .isStarted(0);
        mapped(machine, "inner", "9:5", 8);
      },
      (machine) => seen.push(machine.listMappings().map(({ name }) => name)),
    ],
  });
  expect(seen).toEqual([[]]);
  expect(calls).toContain("start md5 1.2 of 253:0");
});

test.each([
  ["a complete", 2],
  ["a degraded", 1],
])("a volume on %s array is opened there, and not in a partition of one member", (_, count) => {
  const partitions = [{ image: rootVault }];
  const { bytes } = partitionDisk(partitions);
  const disks = Array.from({ length: count }, (_, place) => {
    const content = fakeMember({ bytes }, { place, metadata: "1.0" });
    return { name: `vd${"ab"[place]}`, content, partitions };
  });
  const { end, console, journal } = boot(dataVault, {
    cmdline: `root=LABEL=ROOT rd.timeout=6 rd.luks.uuid=${UUID}`,
    disks,
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain("unlocking /dev/md0p1");
  expect(journal).toContain(`mount ext4 /dev/mapper/${VOLUME} at /sysroot (ro)`);
});
