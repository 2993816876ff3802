import { describe, expect, test } from "bun:test";
import { GOOD_FILE } from "../../src/boot/tries/choose-slot.ts";
import { SLOT_FILE } from "../../src/boot/tries/slot-file.ts";
import { SLOT_VARIABLE } from "../../src/boot/tries/slot-store.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { confirmSlot, describeSlots, listSlots, selectSlot } from "../../src/rescue/commands/slot.ts";
import { type FakeBoot, type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { makeFakeDirectory } from "../support/fake-files.ts";
import { efiVariables } from "../support/fake-hibernation.ts";
import { fakeImage } from "../support/fake-images.ts";
import { fakeMachine } from "../support/fake-machine.ts";

const SLOTS = "rd.slots=A:LABEL=rootA,B:LABEL=rootB rd.emergency=reboot rd.timeout=1";
const VOICE = { warn: () => undefined, progress: () => undefined, debug: () => undefined };
const A: FakeDisk = { name: "sda", image: rootImage("rootA") };
const B: FakeDisk = { name: "sdb", image: rootImage("rootB") };
/** A root without an init: the boot fails in levain. */
const BROKEN: FakeDisk = { name: "sda", image: fakeImage("ext4", { label: "rootA" }, { "/etc/x": "" }) };

type Keep = Pick<FakeBootOptions, "sys" | "efiVariables">;

/** A boot, and the system that it started: the files that levain has left in /run, and what stays from boot to boot. */
function bootSlots(disks: readonly FakeDisk[], keep: Keep, words = SLOTS, more: FakeBootOptions = {}) {
  const files: Record<string, Uint8Array> = {};
  const boot = fakeBoot({
    ...{ cmdline: words, disks, ...keep, ...more },
    before(machine) {
      more.before?.(machine);
      const { handOver } = machine;
      machine.handOver = (handover) => {
        for (const path of [SLOT_FILE, GOOD_FILE]) {
          if (machine.stat(`/sysroot${path}`) !== null) files[path] = machine.readFile(`/sysroot${path}`);
        }
        return handOver(handover);
      };
    },
  });
  const content = boot.machine.disk("sdc")?.content;
  const left = disks.map((disk) => (disk.name === "sdc" && content !== undefined ? { name: "sdc", content } : disk));
  const mounted = { "/proc": "proc", "/dev": "devtmpfs", "/sys": "sysfs" };
  const system = fakeMachine({
    mounted,
    ...keep,
    files: { "/run/levain": { directory: true }, ...files },
    disks: left,
  });
  return { ...boot, files, system };
}

type Booted = ReturnType<typeof bootSlots>;

/** The slot whose root was handed over, or how the boot ended. */
function outcome({ end, mounts, console }: FakeBoot): string {
  if (typeof end === "string") return end;
  const device = mounts.find((line) => line.startsWith("/sysroot "));
  return `${device?.includes("sda") ? "A" : "B"}, ${/slot .: (?:try .+|not counted)/.exec(console)?.[0]}`;
}

/** A serial line on which a person switches the machine off by the menu. */
const atMenu = ({ sys }: Keep): FakeBootOptions => ({
  sys: { ...sys, "/class/tty/console/active": "ttyS0\n" },
  dev: { "/ttyS0": { node: "character", number: "4:64" } },
  typing: [{ terminal: "/dev/ttyS0", text: "o\r" }],
});

/** Two volumes with one name. */
const TWICE = ["a", "b"].map((end) => `rd.luks.name=c0ffee00-0000-4000-8000-00000000000${end}=root`).join(" ");

/** Marks the slot as the booted system would. */
const confirm = ({ system }: Booted) => confirmSlot(system, VOICE);

describe("rd.slots= on a machine with EFI", () => {
  test("a bad A three times, then B comes up, and stays while it is good", () => {
    const keep = efiVariables();
    const outcomes = Array.from({ length: 6 }, () => {
      const boot = bootSlots([BROKEN, B], keep);
      if (typeof boot.end !== "string") confirm(boot);
      return outcome(boot);
    });
    const ofB = "B, slot B: try 1 of 3";
    expect(outcomes).toEqual(["reboot", "reboot", "reboot", ofB, ofB, ofB]);
  });

  test("a system that never says ok is bad too; levain slot ok gives the tries back", () => {
    const keep = efiVariables();
    const boots = () => bootSlots([A, B], keep);
    const first = boots();
    expect(outcome(first)).toBe("A, slot A: try 1 of 3");
    expect(outcome(boots())).toBe("A, slot A: try 2 of 3");
    const last = boots();
    expect(outcome(last)).toBe("A, slot A: try 3 of 3, the last");
    expect(confirm(last)).toBe("slot A is good: it has 3 tries again");
    expect([boots(), boots(), boots()].map(outcome)[2]).toBe("A, slot A: try 3 of 3, the last");
    expect([boots(), boots(), boots()].map(outcome)[2]).toBe("B, slot B: try 3 of 3, the last");
    // None has a try left: the last good one, and nothing is written any more.
    const { journal, ...end } = boots();
    expect(outcome({ journal, ...end })).toBe("A, slot A: not counted");
    expect(journal.filter((line) => line.includes(SLOT_VARIABLE))).toEqual([]);
  });

  test("levain slot set boots another slot first, and falls back when that is bad", () => {
    const keep = efiVariables();
    const good = bootSlots([A, B], keep);
    confirm(good);
    expect(selectSlot(good.system, VOICE, "B")).toBe("the next boot starts slot B: it has 3 tries");
    expect(describeSlots(listSlots(good.system, VOICE))).toEqual([
      "SLOT  ROOT         TRIES LEFT",
      "A     LABEL=rootA  3 of 3      booted, good",
      "B     LABEL=rootB  3 of 3      first",
    ]);
    expect(() => selectSlot(good.system, VOICE, "C")).toThrow("there is no slot C");
    const ends = Array.from({ length: 4 }, () => outcome(bootSlots([A], keep)));
    expect(ends).toEqual(["reboot", "reboot", "reboot", "A, slot A: try 1 of 3"]);
  });

  test("the file for a system without levain is what levain slot ok writes", () => {
    const keep = efiVariables();
    const boot = bootSlots([A, B], keep);
    confirm(boot);
    const file = keep.efiVariables.entries.get(SLOT_VARIABLE);
    expect(
      file?.kind === "file" && Buffer.from(file.data as Uint8Array).equals(boot.files[GOOD_FILE] ?? new Uint8Array()),
    ).toBe(true);
  });

  test("a machine that would power off reboots while a try is left", () => {
    const keep = efiVariables();
    const words = SLOTS.replace("reboot", "poweroff");
    const ends = Array.from({ length: 3 }, () => bootSlots([], keep, words).end);
    expect(ends).toEqual(["reboot", "reboot", "poweroff"]);
  });

  test("a retry in the shell is the same try, and root= in it boots another root", () => {
    const keep = efiVariables();
    const words = SLOTS.replace("rd.emergency=reboot ", "");
    const { console, end } = bootSlots([], keep, words, {
      person: [() => undefined, (machine) => machine.writeFile("/run/levain/retry", "root=LABEL=rootB\n")],
    });
    expect(end).toBe("poweroff");
    expect(console).toContain("rd.slots=: a boot that fails waits for a person, and no other slot is tried");
    expect(outcome(bootSlots([A], keep))).toBe("A, slot A: try 2 of 3");
  });

  test("a menu waits for a person while a try is left, and is warned of", () => {
    const keep = efiVariables();
    const { console, end } = bootSlots([], keep, SLOTS.replace("=reboot", "=menu"), atMenu(keep));
    expect(end).toBe("poweroff");
    expect(console).toContain("a boot that fails waits for a person, and no other slot is tried");
  });

  test.each(["ostree=/x", TWICE])("a boot that is refused anyway uses up no try: %s", (words) => {
    const keep = efiVariables();
    expect(bootSlots([A, B], keep, `${SLOTS} ${words}`).end).toBe("reboot");
    expect(outcome(bootSlots([A, B], keep))).toBe("A, slot A: try 1 of 3");
  });

  test.each([SLOT_FILE, GOOD_FILE])("a /run that refuses %s does not keep the machine from booting", (path) => {
    const keep = efiVariables();
    const before = (machine: FakeBoot["machine"]) => {
      const { writeFile } = machine;
      machine.writeFile = (to, data) => {
        writeFile(to, to === path ? "{" : data);
        if (to === path) throw new SyscallError("write", "ENOSPC", path);
      };
    };
    const boot = bootSlots([A, B], keep, SLOTS, { before });
    expect(boot.end).toMatchObject({ mode: "switch_root" });
    expect(boot.console).toContain(`cannot write ${path}, so slot A cannot be marked as good: there is no space left`);
    expect(Object.keys(boot.files)).not.toContain(path);
    expect(outcome(bootSlots([A, B], keep))).toBe("A, slot A: try 2 of 3");
  });

  test.each([
    ["is damaged", { [`/${SLOT_VARIABLE}`]: "\x07\0\0\0{}" }, "is not as levain writes it", "A, slot A: try 1 of 3"],
  ])("a variable that %s is counted from the start", (_, files, says, result) => {
    const boot = bootSlots([A, B], efiVariables(files));
    expect(boot.console).toContain(says);
    expect(outcome(boot)).toBe(result);
  });

  test.each<["readFile" | "writeFile", string]>([
    ["readFile", "EIO"],
    ["writeFile", "ENOSPC"],
  ])("firmware that refuses the variable (%s) does not keep the machine from booting", (call, code) => {
    const keep = efiVariables();
    bootSlots([A, B], keep);
    const { entries } = keep.efiVariables;
    const before = entries.get(SLOT_VARIABLE);
    const boot = bootSlots([A, B], keep, SLOTS, { before: (machine) => machine.refuse(call, SLOT_VARIABLE, code) });
    expect(outcome(boot)).toBe("A, slot A: not counted");
    expect(boot.console.replaceAll(/\s+/g, " ")).toContain(
      "the try of slot A is not counted, and if A is bad, no other slot is tried",
    );
    if (call === "writeFile")
      expect(boot.console).toContain(`the EFI variable ${SLOT_VARIABLE}: the firmware has no room`);
    expect(entries.get(SLOT_VARIABLE)).toEqual(before);
    expect(() => confirm(boot)).toThrow("slot A was booted without a count");
  });
});

describe("rd.slots= on a machine without EFI", () => {
  const state = (content: Uint8Array): FakeDisk => ({ name: "sdc", content });
  const WORDS = `${SLOTS} rd.slots.state=/dev/sdc`;

  test("counts on a partition of zeros, in turn in its two copies", () => {
    let content = new Uint8Array(128 << 10);
    const writes: string[] = [];
    const outcomes = Array.from({ length: 5 }, () => {
      const boot = bootSlots([BROKEN, B, state(content)], {}, WORDS);
      if (typeof boot.end !== "string") confirm(boot);
      content = Uint8Array.from(boot.system.disk("sdc")?.content ?? []);
      writes.push(...[...boot.journal, ...boot.system.journal].filter((line) => line.startsWith("write 512 bytes")));
      return outcome(boot);
    });
    expect(outcomes.slice(2)).toEqual(["reboot", "B, slot B: try 1 of 3", "B, slot B: try 1 of 3"]);
    expect(writes.slice(0, 3).map((line) => line.split(" at ")[1])).toEqual(["0", "65536", "0"]);
  });

  test.each<[why: string, disks: readonly FakeDisk[], words: string, says: string]>([
    ["no partition is named", [], SLOTS, "no partition keeps the count of rd.slots="],
    ["the partition is missing", [], WORDS, "no device /dev/sdc to keep the count"],
    ["it holds a filesystem", [{ name: "sdc", image: fakeImage("ext4") }], WORDS, "it holds something else"],
    ["it holds unknown bytes", [state(new Uint8Array(128 << 10).fill(9))], WORDS, "it holds something else"],
    ["it is too small", [state(new Uint8Array(4096))], WORDS, "or is too small"],
    [
      "two have its name",
      ["sdc", "sdd"].map((name) => ({
        name,
        partitions: [
          { name: "slots", image: { type: "none", bytes: new Uint8Array(128 << 10), root: makeFakeDirectory() } },
        ],
      })),
      `${SLOTS} rd.slots.state=PARTLABEL=slots`,
      "match PARTLABEL=slots, and only one",
    ],
  ])("boots the first slot, uncounted, if %s", (_, disks, words, says) => {
    const boot = bootSlots([A, B, ...disks], {}, words);
    expect(outcome(boot)).toBe("A, slot A: not counted");
    expect(boot.console.replaceAll(/\s+/g, " ")).toContain(says);
  });
});

describe("the tries of systemd-boot's entry", () => {
  const NAME = "/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
  const entry = (path: string) =>
    efiVariables({ [NAME]: Uint8Array.from([7, 0, 0, 0, ...Buffer.from(`${path}\0`, "utf16le")]) });

  test("are read after a failure too, for levain status", () => {
    const { record, console } = fakeBoot({ cmdline: "root=LABEL=X rd.timeout=1", ...entry("\\a+1-2.efi") });
    expect(record.attempts).toEqual([{ what: "boot entry a", number: 2, most: 3, left: 1 }]);
    expect(console).not.toContain("boot entry");
  });

  test("are read together with the count of the slot: each mount has the firmware list its variables", () => {
    for (const [path, says] of [
      ["\\a+1-2.efi", "boot entry a: try 2 of 3"],
      ["\\a.efi", null],
    ] as const) {
      const { console, journal, end } = bootSlots([A, B], entry(path));
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(/boot entry .*/.exec(console)?.[0] ?? null).toBe(says);
      expect(journal.filter((line) => /^mount .*efivarfs/.test(line))).toHaveLength(1);
    }
  });

  test("a menu waits for a person while a try is left", () => {
    const keep = entry("\\a+1-2.efi");
    const boot = fakeBoot({ cmdline: "root=LABEL=X rd.timeout=1 rd.emergency=menu", ...keep, ...atMenu(keep) });
    expect(boot.end).toBe("poweroff");
    expect(boot.console).not.toContain("boot entry");
  });

  test.each([
    ["\\loader\\entries\\debian+2-1.conf", "boot entry debian: try 1 of 3", "reboot"],
    ["\\EFI\\Linux\\debian+0-3.efi", "boot entry debian: try 3 of 3, the last", "poweroff"],
    ["\\EFI\\Linux\\debian.efi", null, "poweroff"],
  ])("%s", (path, says, end) => {
    const boot = fakeBoot({ cmdline: "root=LABEL=X rd.timeout=1 rd.emergency=poweroff", ...entry(path) });
    expect(/boot entry .*/.exec(boot.console)?.[0] ?? null).toBe(says);
    expect(boot.end).toBe(end as "reboot");
    expect(boot.record.attempts.map(({ what }) => what)).toEqual(says === null ? [] : ["boot entry debian"]);
  });
});
