import { describe, expect, test } from "bun:test";
import { saveLogTo } from "../../src/rescue/commands/save-log.ts";
import { type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { efiVariables, hibernatedSwap } from "../support/fake-hibernation.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";

const VOICE = { warn: () => undefined, progress: () => undefined, debug: () => undefined };
const SECRET = "rd.iscsi.password=hunter2";
const UUID = "0a1b2c3d-0000-4000-8000-00000000abcd";
const DEVICE = '/dev/sdb1 ext4 "LEVAIN-LOG"';
const SAVED = ["levain-failed-1.json", "levain-failed-1.txt", "levain-failed.new"];

const stick = (label = "LEVAIN-LOG", tree: FakeTree = {}, sizeBytes = 4 << 20) =>
  fakeImage("ext4", { label, sizeBytes }, tree);
const inDrive = (image: FakeImage, name = "sdb"): FakeDisk => ({ name, partitions: [{ image }] });
const root: FakeDisk = { name: "sda", image: rootImage() };

/** Boots with these disks; without `root` it fails. */
const boot = (disks: readonly FakeDisk[], words = "", more: FakeBootOptions = {}) =>
  fakeBoot({ cmdline: `root=LABEL=ROOT rd.timeout=1 ${SECRET} ${words}`, disks, ...more });

/** The files at the top of a stick, as another machine finds them. */
const names = ({ root: { entries } }: FakeImage) => [...entries.keys()].toSorted();
function text({ root: { entries } }: FakeImage, name: string): string {
  const file = entries.get(name);
  return file?.kind === "file" && typeof file.data !== "function" ? Buffer.from(file.data).toString() : "";
}

describe("the log of a boot that fails", () => {
  test("is saved where the label says, for a person and for programs, without passwords", () => {
    const disk = stick();
    const said = "Kernel command line: root=LABEL=ROOT ";
    const { console } = boot([inDrive(disk)], "", { before: (machine) => machine.say(`${said}${SECRET}`) });
    expect(console).toContain(`the log was saved: levain-failed-1.txt on ${DEVICE}`);
    expect(names(disk)).toEqual(SAVED);
    const saved = text(disk, "levain-failed-1.txt");
    for (const part of ["could not find the root device", DEVICE, `${said}rd.iscsi.password=…`]) {
      expect(saved).toContain(part);
    }
    const json = text(disk, "levain-failed-1.json");
    const { state, devices, failure } = JSON.parse(json);
    expect({ state, devices, first: failure[0] }).toEqual({
      state: "rescue",
      devices: ["/dev/sdb (gpt partition table)", DEVICE],
      first: "could not find the root device",
    });
    for (const file of [saved, json]) expect(file).not.toContain("hunter2");
  });

  test("is saved in the directory that rd.log.save= names, and nowhere with rd.log.save=no", () => {
    const named = stick("LOGS");
    boot([inDrive(named), inDrive(stick(), "sdc")], "rd.log.save=LABEL=LOGS:/boot/failed");
    expect(names(named)).toEqual(["boot"]);
    const none = stick();
    expect(boot([inDrive(none)], "rd.log.save=no").console).not.toContain("the log was saved");
    expect(names(none)).toEqual([]);
  });

  test("once for each failure: a retry that fails in the same way adds nothing", () => {
    const disk = stick();
    const exit = () => undefined;
    boot([inDrive(disk)], "", { person: [exit, exit] });
    expect(names(disk)).toEqual(SAVED);
  });

  test("the numbers go round, and the oldest log makes room; other files stay", () => {
    const old = Object.fromEntries(
      [2, 3, 4, 5, 6, 7, 8, 9, 10].map((number) => [`/levain-failed-${number}.txt`, "old"]),
    );
    const disk = stick("LEVAIN-LOG", { ...old, "/levain-failed-x.txt": "mine" });
    boot([inDrive(disk)]);
    expect(text(disk, "levain-failed-1.txt")).toContain("could not find the root device");
    expect(names(disk)).not.toContain("levain-failed-2.txt");
    expect(text(disk, "levain-failed-3.txt")).toBe("old");
    expect(text(disk, "levain-failed-x.txt")).toBe("mine");
    expect(text(disk, "levain-failed.new")).toBe("1\n");
  });

  test("a pipe or a link in the place of a file is neither waited for nor followed", () => {
    const names = ["/levain-failed.new", "/levain-failed-2.json", "/levain-failed-1.json"];
    const links = Object.fromEntries(names.map((name) => [name, { link: "/run/levain/boot.json" }]));
    const disk = stick("LEVAIN-LOG", links);
    boot([inDrive(disk)]);
    expect(text(disk, "levain-failed-1.json")).toContain("could not find the root device");
    expect(text(disk, "levain-failed.new")).toBe("1\n");
  });

  test.each([["levain-failed.new"], ["levain-failed-1.json"], ["levain-failed-2.txt"]])(
    "a directory in the place of %s does not keep the shell away",
    (name) => {
      const disk = stick("LEVAIN-LOG", { [`/${name}/x`]: "mine" });
      const { console, shells } = boot([inDrive(disk)]);
      expect(console).toContain("rescue shell:");
      expect(shells).toBe(1);
      expect(names(disk)).toContain(name);
    },
  );

  test("has no password, in whatever form the kernel prints it", () => {
    const disk = stick();
    const line = `Unknown kernel command line parameters "splash netroot=iscsi:me:Geheim1@10.0.2.2::3260:: cifspass=Geheim2", will be passed to user space.`;
    fakeBoot({
      cmdline: "root=LABEL=ROOT rd.timeout=1 netroot=iscsi:me:Geheim1@10.0.2.2::3260:: cifspass=Geheim2",
      disks: [inDrive(disk)],
      before: (machine) => machine.say(line),
    });
    for (const ending of ["txt", "json"]) {
      expect(text(disk, `levain-failed-1.${ending}`)).toContain("Unknown kernel command line parameters");
      expect(text(disk, `levain-failed-1.${ending}`)).not.toContain("Geheim");
    }
  });

  test("without a shell goes only to a device that was named: anyone can plug in a label", () => {
    const disk = stick();
    expect(boot([inDrive(disk)], "rdshell=0").console).not.toContain("the log was saved");
    expect(names(disk)).toEqual([]);
    boot([inDrive(disk)], "rdshell=0 rd.log.save=LABEL=LEVAIN-LOG");
    expect(names(disk)).toEqual(SAVED);
  });

  test("does not follow links out of the filesystem", () => {
    const disk = stick("LEVAIN-LOG", { "/logs": { link: "/etc" }, "/etc/a": "" });
    boot([inDrive(disk)], "rd.log.save=LABEL=LEVAIN-LOG:/logs");
    const etc = disk.root.entries.get("etc");
    expect(etc?.kind === "directory" && [...etc.entries.keys()]).toContain("levain-failed-1.txt");
  });

  test.each<[why: string, disks: readonly FakeDisk[], says: string]>([
    ["two devices have the label", [inDrive(stick()), inDrive(stick(), "sdc")], "/dev/sdb1 and /dev/sdc1 match"],
    [
      "a hibernated system may use it",
      [
        inDrive(fakeImage("ext4", { label: "LEVAIN-LOG", isUnclean: true, sizeBytes: 4 << 20 })),
        { name: "sdc", image: hibernatedSwap(UUID) },
      ],
      "it was not unmounted, and /dev/sdc may hold a hibernated system that uses it",
    ],
  ])("is not saved if %s", (_, disks, says) => {
    const { console } = boot(disks, "resume=none");
    expect(console.replaceAll(/\s+/g, " ")).toContain(says);
    expect(console).toContain("the log is not saved");
    expect(console).toContain("rescue shell:");
  });

  test("is left to the next system by pstore, where no device is for it", () => {
    const before: FakeBootOptions["before"] = (machine) => machine.makeNode("/dev/pmsg0", "character", 250, 0, 0o222);
    const { console, journal } = boot([], "", { before });
    expect(console).toContain("the report was left in pstore");
    expect(journal.join("\n")).toContain("/dev/pmsg0");
    const missing = boot([], "rd.log.save=LABEL=LOGS", { before }).console;
    expect(missing).toContain("no device LABEL=LOGS to save the log to");
    expect(missing).toContain("the report was left in pstore");
    expect(boot([], "rd.log.save=no", { before }).console).not.toContain("pstore");
  });

  test("a stick that hangs while it is written to does not hold up the failure policy", () => {
    const disk = { ...inDrive(stick()), writesAfterMs: Number.POSITIVE_INFINITY };
    const { console, end, endMs } = boot([disk], "rd.emergency=reboot");
    expect(console.replaceAll(/\s+/g, " ")).toContain(`the log is not saved to ${DEVICE}: it does not answer any more`);
    expect(end).toBe("reboot");
    expect(endMs).toBeLessThan(30_000);
    // A good boot that only removes the mark goes on too.
    const failed = stick();
    boot([inDrive(failed)]);
    const next = boot(
      [{ ...inDrive(failed), writesAfterMs: Number.POSITIVE_INFINITY }, root],
      "rd.log.save=LABEL=LEVAIN-LOG",
    );
    expect(next.end).toMatchObject({ mode: "switch_root" });
  });

  test("a filesystem of another type is not mounted", () => {
    const { console } = boot([inDrive(fakeImage("btrfs", { label: "LEVAIN-LOG" }))], "", { filesystems: ["btrfs"] });
    expect(console.replaceAll(/\s+/g, " ")).toContain(
      'the log is not saved to /dev/sdb1 btrfs "LEVAIN-LOG": it is not vfat, exfat or ext4',
    );
  });

  test("a full device keeps what it has", () => {
    const disk = stick("LEVAIN-LOG", {}, 64 << 10);
    expect(boot([inDrive(disk)]).console).toContain("the log is not saved to /dev/sdb1");
    expect(names(disk)).toEqual([]);
  });

  test("a device that cannot be written is said, and the shell starts", () => {
    const { console } = boot([inDrive(stick())], "", {
      before: (machine) => machine.refuse("mount", "/dev/sdb1", "EIO"),
    });
    expect(console.replaceAll(/\s+/g, " ")).toContain(
      "/dev/sdb1 at /run/levain/search (ro,nosuid,nodev,noexec): the device returns I/O errors",
    );
    expect(console).toContain("rescue shell:");
  });
});

describe("the ESP that the machine was booted from", () => {
  const PARTUUID = "0b1d5e8a-3a7c-4a41-9b3e-6f2f6f0e1a11";
  const GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
  const variable = (value: Uint8Array) => Uint8Array.from([7, 0, 0, 0, ...value]);
  const esp = (image: FakeImage, name = "sdb"): FakeDisk => ({ name, partitions: [{ image, uuid: PARTUUID }] });
  const fat = (sizeBytes = 17 << 20): FakeImage => {
    const image = fakeImage("vfat", {});
    const bytes = new Uint8Array(Math.max(sizeBytes, image.bytes.length));
    bytes.set(image.bytes);
    return { ...image, bytes };
  };
  const LOADER = {
    "/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f": variable(Buffer.from(`${PARTUUID}\0`, "utf16le")),
  };
  /** Boot0007 as firmware writes it: "debian", and HD(1,GPT,…)/\EFI\x. */
  const option = Buffer.alloc(6 + 14 + 42 + 4);
  option.write("debian\0", 6, "utf16le");
  option.set([4, 1, 42, 0], 20);
  option.set(Buffer.from("8a5e1d0b7c3a414a9b3e6f2f6f0e1a11", "hex"), 44);
  option.set([2, 2], 60);
  option.set([0x7f, 0xff, 4, 0], 62);
  const FIRMWARE = {
    [`/BootCurrent-${GLOBAL}`]: variable(Uint8Array.of(7, 0)),
    [`/Boot0007-${GLOBAL}`]: variable(option),
  };
  test.each([
    ["the boot loader", LOADER],
    ["the firmware", FIRMWARE],
  ])("gets the log, as %s names it", (_, variables) => {
    const image = fat();
    const { console } = boot([esp(image)], "", efiVariables(variables));
    expect(console).toContain("the log was saved: /levain/levain-failed-1.txt on /dev/sdb1 vfat");
    expect(names(image)).toEqual(["levain"]);
  });

  test.each<[why: string, disks: readonly FakeDisk[], words: string]>([
    ["another partition has its PARTUUID", [esp(fat()), esp(fat(), "sdc")], ""],
    ["it has little room", [esp(fat(0))], ""],
    ["rdshell=0 allows only a device that was named", [esp(fat())], "rdshell=0"],
  ])("is left alone if %s: the report goes to an EFI variable", (_, disks, words) => {
    const variables = efiVariables(LOADER);
    const left = boot(disks, words, variables);
    expect(left.console.replaceAll(/\s+/g, " ")).toContain("the report was left in an EFI variable");
    expect(disks.flatMap(({ partitions = [] }) => partitions.flatMap(({ image }) => names(image)))).not.toContain(
      "levain-failed.new",
    );
    // The same failure again: the flash is not written.
    expect(boot(disks, words, variables).journal.filter((line) => line.includes("write /run/levain/search"))).toEqual(
      [],
    );
  });

  test("the stick with the label comes before it", () => {
    const image = fat();
    const disk = stick();
    boot([inDrive(disk), esp(image, "sdc")], "", efiVariables(LOADER));
    expect([names(disk), names(image)]).toEqual([SAVED, []]);
  });
});

describe("after each failure the log is saved, and read back", () => {
  const without = (path: string) => rootImage("ROOT", { [path]: "not a program" });
  const disk = (image: FakeImage, name = "sda"): FakeDisk => ({ name, image });

  test.each<[failure: string, words: string, more: FakeBootOptions]>([
    ["could not find the root device", "root=LABEL=ROOT", {}],
    ["a mistake on the kernel command line", "root=nonsense", { disks: [root] }],
    [
      "the root has no init",
      "root=LABEL=ROOT",
      { disks: [disk(fakeImage("ext4", { label: "ROOT" }, { "/etc/x": "" }))] },
    ],
    [
      "the root's init /sbin/init cannot be started",
      "root=LABEL=ROOT init=/sbin/init",
      { disks: [disk(without("/sbin/init"))] },
    ],
    [
      "could not mount /dev/sda",
      "root=LABEL=ROOT",
      { disks: [root], before: (machine) => machine.refuse("mount", "/dev/sda at", "EIO") },
    ],
    ["the medium has no image /x.sfs", "root=LABEL=ROOT rd.image=/x.sfs", { disks: [root] }],
    ["encrypted device", `root=LABEL=ROOT rd.luks.uuid=${UUID}`, { disks: [root] }],
    ["could not find the device for the changes", "root=LABEL=ROOT rd.overlay=LABEL=CHANGES", { disks: [root] }],
    [
      'the step "handover" failed',
      "root=LABEL=ROOT",
      { disks: [root], before: (machine) => machine.refuse("moveMount", "/dev", "EBUSY", { times: 1 }) },
    ],
    ["no network interface", "root=nfs:192.0.2.1:/srv/root ip=dhcp", {}],
    ["no network interface", "root=http://192.0.2.1/a.sfs ip=dhcp", {}],
  ])("%s: %s", (failure, words, { disks = [], ...more }) => {
    const kept = stick();
    const { console, record } = fakeBoot({
      cmdline: `rd.timeout=1 ${words}`,
      ...more,
      disks: [...disks, inDrive(kept)],
    });
    expect(console).toContain(`the log was saved: levain-failed-1.txt on ${DEVICE}`);
    expect(record.failure.join("\n")).toContain(failure);
    expect(text(kept, "levain-failed-1.txt")).toContain(record.failure[0] ?? "no failure");
    const next = boot([inDrive(kept), root], "rd.log.save=LABEL=LEVAIN-LOG");
    expect(next.console.replaceAll(/\s+/g, " ")).toContain(`the last boot failed: ${record.failure[0]}`);
  });
});

describe("the next boot that succeeds", () => {
  const NAMED = "rd.log.save=LABEL=LEVAIN-LOG";
  const failed = () => {
    const disk = stick();
    boot([inDrive(disk)]);
    return disk;
  };

  test("says once that the last one failed, and keeps its record for levain log --previous", () => {
    const disk = stick();
    boot([inDrive(disk)]);
    const next = boot([inDrive(disk), root], NAMED);
    expect(next.console).toContain("the last boot failed: could not find the root device (`levain log --previous`)");
    expect(next.journal.join("\n")).toContain("/run/levain/previous.json");
    expect(boot([inDrive(disk), root], NAMED).console).not.toContain("the last boot failed");
    expect(names(disk)).toEqual(["levain-failed-1.json", "levain-failed-1.txt"]);
  });

  test("mounts no stick that was not named", () => {
    const disk = stick();
    boot([inDrive(disk)]);
    const { console, journal } = boot([{ ...inDrive(disk), isRemovable: true }, root]);
    expect(console).not.toContain("the last boot failed");
    expect(journal.join("\n")).not.toContain("/dev/sdb1");
  });

  test("finds the label on a disk of the machine too, but not with a locked shell", () => {
    const locked = boot([inDrive(failed()), root], "rdshell=0");
    expect(locked.console).not.toContain("the last boot failed");
    expect(locked.journal.join("\n")).not.toContain("/dev/sdb1");
    // What a stick has is no reason to take it, and none against the disk.
    const stranger = { name: "sdc", isRemovable: true, partitions: [{ image: stick() }] };
    const { console } = boot([inDrive(failed()), stranger, root]);
    expect(console).toContain("the last boot failed: could not find the root device (`levain log --previous`)");
  });

  test("cuts a report of the stick that is long", () => {
    const record = { ...JSON.parse(text(failed(), "levain-failed-1.json")), failure: ["x ".repeat(100_000)] };
    const tree = { "/levain-failed.new": "7\n", "/levain-failed-7.json": JSON.stringify(record) };
    const { console } = boot([inDrive(stick("LEVAIN-LOG", tree)), root], NAMED);
    expect(console).toContain("the last boot failed: x x x");
    expect(console.length).toBeLessThan(2000);
  });

  test("says nothing if it is the same boot: a person has repaired it", () => {
    const disk = stick();
    const plugIn = (machine: FakeMachine) => machine.plugIn({ name: "sda", image: rootImage() });
    const { console, end } = boot([inDrive(disk)], NAMED, { person: [plugIn] });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).not.toContain("the last boot failed");
    expect(names(disk)).not.toContain("levain-failed.new");
  });

  test("writes nothing if there is no news", () => {
    const { journal } = boot([inDrive(stick()), root], NAMED);
    expect(journal.filter((call) => call.includes("/run/levain/saved-log"))).toEqual([]);
  });

  test.each<[name: string, tree: FakeTree]>([
    ["no log", {}],
    ["a number without a log", { "/levain-failed.new": "7\n" }],
    ["a log that is a link", { "/levain-failed.new": "7\n", "/levain-failed-7.json": { link: "/etc/shadow" } }],
    ["news that are a link", { "/levain-failed.new": { link: "/etc/shadow" } }],
    ["news that are a directory", { "/levain-failed.new": { directory: true } }],
    ["a log that is none", { "/levain-failed.new": "7\n", "/levain-failed-7.json": "{}" }],
    ["a number that is none", { "/levain-failed.new": "../../x\n" }],
  ])("boots with %s", (_, tree) => {
    const { end, console } = boot([inDrive(stick("LEVAIN-LOG", tree)), root], NAMED);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).not.toContain("the last boot failed");
  });
});

test("levain save-log saves it on the stick that a person plugs in", () => {
  const disk = stick("KEYS");
  let said = "";
  boot([inDrive(disk)], "", {
    person: [
      (machine) => {
        said = saveLogTo(machine, "/dev/sdb1", VOICE);
      },
    ],
  });
  expect(said).toBe('the log was saved: levain-failed-1.txt on /dev/sdb1 ext4 "KEYS"');
  expect(names(disk)).toEqual(SAVED);
  expect(() => boot([inDrive(disk)], "", { person: [(machine) => void saveLogTo(machine, null, VOICE)] })).toThrow(
    "no filesystem with the label LEVAIN-LOG to save the log to",
  );
});
