import { describe, expect, test } from "bun:test";
import { saveLogTo } from "../../src/rescue/commands/save-log.ts";
import { type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import type { FakeTree } from "../support/fake-files.ts";
import { hibernatedSwap } from "../support/fake-hibernation.ts";
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
    expect(console).toContain(`the log of this boot was saved: levain-failed-1.txt on ${DEVICE}`);
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
    expect(boot([inDrive(none)], "rd.log.save=no").console).not.toContain("log of this boot");
    expect(names(none)).toEqual([]);
  });

  test("once for each failure: a retry that fails in the same way adds nothing", () => {
    const disk = stick();
    const exit = () => undefined;
    boot([inDrive(disk)], "", { person: [exit, exit] });
    expect(names(disk)).toEqual(SAVED);
  });

  test("ten logs are kept, and other files stay", () => {
    const old = Object.fromEntries([2, 3, 12].map((number) => [`/levain-failed-${number}.txt`, "old"]));
    const disk = stick("LEVAIN-LOG", { ...old, "/levain-failed-x.txt": "mine", "/levain-failed-1.txt.bak": "mine" });
    boot([inDrive(disk)]);
    expect(names(disk)).toEqual([
      ...["levain-failed-1.txt.bak", "levain-failed-12.txt", "levain-failed-13.json", "levain-failed-13.txt"],
      ...["levain-failed-x.txt", "levain-failed.new"],
    ]);
  });

  test("without a shell goes only to a device that was named: anyone can plug in a label", () => {
    const disk = stick();
    expect(boot([inDrive(disk)], "rdshell=0").console).not.toContain("the log of this boot");
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
      [inDrive(stick()), { name: "sdc", image: hibernatedSwap(UUID) }],
      "/dev/sdc holds a hibernated system, which may use it",
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
  });

  test("a full device keeps what it has", () => {
    const disk = stick("LEVAIN-LOG", {}, 512 << 10);
    expect(boot([inDrive(disk)]).console).toContain("the log is not saved to /dev/sdb1");
    expect(names(disk)).toEqual([]);
  });

  test("a device that cannot be written is said, and the shell starts", () => {
    const { console } = boot([inDrive(stick())], "", {
      before: (machine) => machine.refuse("mount", "/dev/sdb1", "EIO"),
    });
    expect(console).toContain("could not mount /dev/sdb1");
    expect(console).toContain("rescue shell:");
  });
});

describe("the next boot that succeeds", () => {
  test("says once that the last one failed, and keeps its record for levain log --previous", () => {
    const disk = stick();
    boot([inDrive(disk)]);
    const next = boot([inDrive(disk), root]);
    expect(next.console).toContain("the last boot failed: could not find the root device (levain log --previous)");
    expect(next.journal.join("\n")).toContain("/run/levain/previous.json");
    expect(boot([inDrive(disk), root]).console).not.toContain("the last boot failed");
    expect(names(disk)).toEqual(["levain-failed-1.json", "levain-failed-1.txt"]);
  });

  test("says nothing if it is the same boot: a person has repaired it", () => {
    const disk = stick();
    const plugIn = (machine: FakeMachine) => machine.plugIn({ name: "sda", image: rootImage() });
    const { console, end } = boot([inDrive(disk)], "", { person: [plugIn] });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(console).not.toContain("the last boot failed");
    expect(names(disk)).not.toContain("levain-failed.new");
  });

  test("writes nothing if there is no news", () => {
    const { journal } = boot([inDrive(stick()), root]);
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
    const { end, console } = boot([inDrive(stick("LEVAIN-LOG", tree)), root]);
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
  expect(said).toBe('the log of this boot was saved: levain-failed-1.txt on /dev/sdb1 ext4 "KEYS"');
  expect(names(disk)).toEqual(SAVED);
  expect(() => boot([inDrive(disk)], "", { person: [(machine) => void saveLogTo(machine, null, VOICE)] })).toThrow(
    "no filesystem with the label LEVAIN-LOG to save the log to",
  );
});
