import { beforeAll, describe, expect, test } from "bun:test";
import { report } from "../../../../src/problems/report.ts";
import { unlockVolumes } from "../../../../src/rescue/commands/unlock.ts";
import { fakeMember } from "../../../support/fake-arrays.ts";
import { rootImage } from "../../../support/fake-boot.ts";
import type { FakeImage } from "../../../support/fake-images.ts";
import { EXTENT_BYTES, extentsOf, fakeId, fakePhysicalVolume, groupText } from "../../../support/fake-lvm.ts";
import { type FakeMachine, type FakeMachineOptions, fakeMachine } from "../../../support/fake-machine.ts";
import { CHEAP } from "../../../support/luks/cryptsetup-image.ts";
import { CRYPT_IMAGE, luksDisk } from "../../../support/luks/encrypted-disk.ts";

const UUID = "6c657661-696e-4000-8000-00000000eeee";
const script = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --uuid ${UUID} --pbkdf pbkdf2 ${CHEAP} $1 key`;
const root = rootImage("ROOT");
const OTHER = "6c657661-696e-4000-8000-00000000eeef";
const data = rootImage("DATA");
let luks: FakeImage;
let other: FakeImage;
let locked: FakeImage;
beforeAll(async () => {
  luks = await luksDisk({ name: "unlock-command", script }, root);
  other = await luksDisk({ name: "unlock-other", script: script.replace(UUID, OTHER) }, data);
  const secret = `printf secret > key; ${script.replace(UUID, OTHER)}`;
  locked = await luksDisk({ name: "unlock-locked", script: secret }, data);
});

const DEP = "/lib/modules/6.1.0-fake/modules.dep";
const NOTHING = { device: null, name: null, keyFile: null };
const onTerminal = (text: string) => ({ terminal: "/dev/tty", text: `${text}\r` });

function run(
  question: Partial<typeof NOTHING | Record<string, string>>,
  more: FakeMachineOptions = {},
  prepare: (machine: FakeMachine) => void = () => undefined,
) {
  const machine = fakeMachine({
    ...CRYPT_IMAGE,
    mounted: { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs", "/run": "tmpfs" },
    disks: [{ name: "vda", image: luks }],
    images: [root],
    dev: { "/tty": { node: "character", number: "5:0" } },
    typing: [onTerminal("pass")],
    ...more,
    files: { ...CRYPT_IMAGE.files, ...more.files },
  });
  prepare(machine);
  const said: string[] = [];
  const voice = { warn: (text: string) => void said.push(text), debug: () => undefined, progress: () => undefined };
  try {
    return { machine, said, lines: unlockVolumes(machine, { ...NOTHING, ...question }, voice) };
  } catch (error) {
    return { machine, said, lines: report(error) };
  }
}

describe("levain unlock", () => {
  test("asks on its own terminal, and leaves open what it has opened", () => {
    const { machine, lines } = run({ device: "/dev/vda", name: "box" });
    expect(lines).toEqual(['/dev/vda is open: /dev/mapper/box ext4 "ROOT"']);
    expect(machine.listMappings().map(({ name }) => name)).toEqual(["box"]);
    expect(machine.keysInKernel()).toEqual([]);
    expect(machine.journal.filter((line) => line.startsWith("listen"))).toEqual([
      "listen to /dev/tty",
      "listen to no terminal",
    ]);
  });

  test("leaves no volume of LVM active that it did not need", () => {
    const group = (data: Uint8Array) => {
      const extents = extentsOf(data);
      const volumes = {
        root: { segments: [{ on: "pv0", from: 0, extents }] },
        other: { segments: [{ on: "pv0", from: extents, extents: 1 }] },
      };
      const text = groupText({ members: { pv0: fakeId("a") }, volumes });
      const whole = Buffer.concat([data], (extents + 1) * EXTENT_BYTES);
      return {
        type: "LVM2_member",
        bytes: fakePhysicalVolume({ id: fakeId("a"), text, data: whole }),
        root: root.root,
      };
    };
    const { machine, lines } = run({ device: "/dev/vg0/root" }, { disks: [{ name: "vda", image: group(luks.bytes) }] });
    expect(lines).toEqual([expect.stringMatching(/^\/dev\/mapper\/vg0-root is open: \/dev\/mapper\/luks-/)]);
    expect(machine.listMappings().map(({ name }) => name)).toEqual([`luks-${UUID}`, "vg0-root"]);
    const inside = { name: "vda", image: group(root.bytes) };
    expect(run({ device: "/dev/vda" }, { disks: [inside] }).machine.listMappings()).toEqual([]);
  });

  test("waits for a disk that is slow to answer", () => {
    const { lines } = run({}, { disks: [{ name: "vda", image: luks, answersAfterMs: 5000 }] });
    expect(lines).toEqual([expect.stringMatching(/^\/dev\/vda is open: \/dev\/mapper\//)]);
  });

  test("waits half a minute for a disk that never answers", () => {
    const { machine, lines } = run({}, { disks: [{ name: "vda", image: luks, answersAfterMs: 1e9 }] });
    expect(lines).toContain("no encrypted volume found");
    expect(machine.nowMs()).toBeLessThan(40_000);
  });

  test("does not wait for another disk once a volume is open", () => {
    const { machine, lines } = run(
      { device: "/dev/vda", name: "box" },
      {
        disks: [
          { name: "vda", image: luks },
          { name: "vdb", image: root, answersAfterMs: 1e9 },
        ],
      },
    );
    expect(lines).toEqual(['/dev/vda is open: /dev/mapper/box ext4 "ROOT"']);
    expect(machine.nowMs()).toBeLessThan(10_000);
  });

  const withArray = (): FakeMachineOptions => ({
    disks: [
      { name: "vda", image: luks },
      { name: "vdb", content: fakeMember(data, { place: 0, disks: 1 }) },
    ],
    modules: { ...CRYPT_IMAGE.modules, md_mod: {}, raid1: {} },
    files: {
      [DEP]: `${String(CRYPT_IMAGE.files[DEP])}\nkernel/md-mod.ko:\nkernel/raid1.ko: kernel/md-mod.ko\n`,
      "/lib/modules/6.1.0-fake/kernel/md-mod.ko": "module",
      "/lib/modules/6.1.0-fake/kernel/raid1.ko": "module",
    },
  });

  test("does not list an array in which it has opened nothing: the end of the search stops it", () => {
    const { machine, lines } = run({ device: "/dev/vda", name: "box" }, withArray());
    expect(machine.journal).toContain("stop md0");
    expect(lines).toEqual(['/dev/vda is open: /dev/mapper/box ext4 "ROOT"']);
  });

  test("does not list an array that ran before, and leaves it", () => {
    const { machine, lines } = run({ device: "/dev/vda", name: "box" }, withArray(), (before) => {
      for (const name of ["md-mod", "raid1"]) {
        before.startModule(`/lib/modules/6.1.0-fake/kernel/${name}.ko`, "").isDone(0);
      }
      before
        .startArray({ name: "md0", metadata: "1.2", members: [before.stat("/dev/vdb")?.represents ?? ""] })
        .isStarted(0);
    });
    expect(machine.journal).not.toContain("stop md0");
    expect(lines).toEqual(['/dev/vda is open: /dev/mapper/box ext4 "ROOT"']);
  });

  test("opens every LUKS volume if the command line names none", () => {
    expect(run({}).lines).toEqual([`/dev/vda is open: /dev/mapper/luks-${UUID} ext4 "ROOT"`]);
  });

  test("opens the volumes of the command line, with its options", () => {
    const cmdline = `rd.luks.name=${UUID}=cryptroot`;
    expect(run({}, { cmdline }).lines).toEqual(['/dev/vda is open: /dev/mapper/cryptroot ext4 "ROOT"']);
    expect(run({ device: `UUID=${UUID}` }, { cmdline }).lines).toEqual([
      '/dev/vda is open: /dev/mapper/cryptroot ext4 "ROOT"',
    ]);
  });

  test("uses a key file, and asks if it is wrong", () => {
    const files = { "/right": "pass", "/wrong": "no" };
    const right = run({ device: "/dev/vda", keyFile: "/right" }, { files, typing: [] });
    expect(right.lines).toHaveLength(1);
    expect(right.machine.terminals.screen("/dev/tty")).toBe("");
    const wrong = run({ device: "/dev/vda", keyFile: "/wrong" }, { files });
    expect(wrong.said.join("\n")).toContain("the key /wrong in this image does not open /dev/vda");
    expect(wrong.lines[0]).toContain("is open");
  });

  test("also opens the root of the command line, and optional volumes", () => {
    const disks = [
      { name: "vda", image: luks },
      { name: "vdb", image: other },
    ];
    const two = run({}, { disks, images: [root, data], cmdline: `root=UUID=${UUID} rd.luks.uuid=${OTHER}` });
    expect(two.lines).toHaveLength(2);
    const files = { "/etc/crypttab": `data UUID=${OTHER} none luks,nofail\n` };
    const optional = run({}, { disks, images: [root, data], files, cmdline: "root=/dev/vda" });
    expect(optional.lines).toHaveLength(2);
  });

  test("Ctrl-C ends the wait for the device of a key, and the terminal is restored", () => {
    const typing = [{ terminal: "/dev/tty", text: "x\x03", atMs: 5000 }];
    const cmdline = `rd.luks.uuid=${UUID} rd.luks.key=/k:LABEL=KEYS rd.luks.options=keyfile-timeout=0`;
    const { machine, lines } = run({}, { cmdline, typing });
    expect(lines[0]).toBe("cancelled by Ctrl-C");
    expect(machine.nowMs()).toBe(5000);
    expect(machine.journal.at(-1)).toBe("listen to no terminal");
  });

  test("says what is open, and what could not be opened", () => {
    const disks = [
      { name: "vda", image: luks },
      { name: "vdb", image: locked },
    ];
    const typing = ["pass", "1", "2"].map(onTerminal);
    const { lines, said } = run({}, { disks, cmdline: "rd.luks.options=tries=2", typing });
    expect(lines).toEqual([`/dev/vda is open: /dev/mapper/luks-${UUID} ext4 "ROOT"`]);
    expect(said.join("\n")).toContain(`could not unlock /dev/vdb (LUKS2) as luks-${OTHER}: 2 passphrases were wrong`);
  });

  test("says what it cannot do", () => {
    expect(run({ device: "sda" }).lines[0]).toBe("sda is not a device name");
    expect(run({ device: "/dev/vdb" }).lines.join("\n")).toContain("encrypted device /dev/vdb did not appear");
    expect(run({}, { disks: [] }).lines.join("\n")).toContain("no encrypted volume found");
    expect(run({ name: "box" }).lines[0]).toContain("--name applies to one volume");
    for (const name of ["../vda", "..", "control", "a b"]) {
      const { lines, machine } = run({ device: "/dev/vda", name });
      expect(lines[0]).toBe(`${name} is not a valid volume name`);
      expect(machine.journal.some((line) => line.startsWith("listen"))).toBe(false);
    }
    const wrong = run({ device: "/dev/vda" }, { typing: ["1", "2", "3", "4", "5"].map(onTerminal) });
    expect(wrong.lines.join("\n")).toContain("5 passphrases were wrong");
    expect(wrong.machine.listMappings()).toEqual([]);
  });
});
