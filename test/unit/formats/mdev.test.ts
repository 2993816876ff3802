import { describe, expect, test } from "bun:test";
import { type MdevDevice, parseMdevConfig, planNode } from "../../../src/formats/mdev.ts";

const IDS = {
  users: new Map([["root", 0]]),
  groups: new Map([
    ["root", 0],
    ["disk", 6],
    ["tty", 5],
  ]),
};

function device(name: string, more: Partial<MdevDevice> = {}): MdevDevice {
  return { name, kernelName: name, major: 8, minor: 1, properties: {}, ...more };
}

function plan(text: string, given: MdevDevice | string) {
  const { rules } = parseMdevConfig(text, IDS);
  return planNode(rules, typeof given === "string" ? device(given) : given);
}

const USUAL = { path: "/dev/sda1", link: null, userId: 0, groupId: 0, mode: 0o660 };

describe("planNode", () => {
  test("a device without rule gets 0660, or the mode of the kernel", () => {
    expect(plan("", "sda1")).toEqual(USUAL);
    expect(plan("sdb.* root:disk 0640", "sda1")).toEqual(USUAL);
    expect(plan("", device("null", { properties: { DEVMODE: "0666" } }))?.mode).toBe(0o666);
    expect(plan("", device("null", { properties: { DEVMODE: "wide open" } }))?.mode).toBe(0o660);
  });

  test("owner and mode come from the first rule that matches the whole name", () => {
    const text = "# disks\nsd[a-z] root:root 600\nsda.*\troot:disk\t0640 # all of it\nsda1 0:5 666\n";
    expect(plan(text, "sda1")).toEqual({ ...USUAL, groupId: 6, mode: 0o640 });
    expect(plan(text, "xsda1")).toEqual({ ...USUAL, path: "/dev/xsda1" });
    expect(plan(text, "sda")?.mode).toBe(0o600);
    expect(plan("sda|sda1 1:2 600", "sda1")?.userId).toBe(1);
  });

  test("a rule can match the kernel's name, a number or a property", () => {
    const mapper = device("mapper/control", { kernelName: "device-mapper", major: 10, minor: 236 });
    expect(plan("device-mapper 0:6 600", mapper)?.groupId).toBe(6);
    expect(plan("mapper/.* 0:6 600", mapper)?.groupId).toBe(6);
    for (const [line, found] of [
      ["@10", true],
      ["@10,236", true],
      ["@10,230-236", true],
      ["@10,230-235", false],
      ["@1", false],
      ["@10,23", false],
    ] as const)
      expect([line, plan(`${line} 0:6 600`, mapper)?.groupId === 6]).toEqual([line, found]);
    const disk = device("sda1", { properties: { SUBSYSTEM: "block", DEVTYPE: "partition" } });
    expect(plan("SUBSYSTEM=block;.* 0:6 600", disk)?.groupId).toBe(6);
    expect(plan("SUBSYSTEM=block;DEVTYPE=disk;.* 0:6 600", disk)?.groupId).toBe(0);
    expect(plan("$DEVTYPE=part.* 0:6 600", disk)?.groupId).toBe(6);
    expect(plan("$DEVTYPE=part 0:6 600", disk)?.groupId).toBe(0);
  });

  test("= moves, > adds a link, ! makes no node, %n is a group of the match", () => {
    expect(plan("sd(.)(.) 0:0 600 =disk/%1/p%2", "sda1")).toMatchObject({ path: "/dev/disk/a/p1", link: null });
    expect(plan("sda1 0:0 600 >disk/", "sda1")).toMatchObject({ path: "/dev/disk/sda1", link: "/dev/sda1" });
    expect(plan("snd/pcm.* 0:0 600 =sound/", "snd/pcmC0")).toMatchObject({ path: "/dev/sound/pcmC0" });
    expect(plan("sda1 0:0 600 >sda1", "sda1")).toMatchObject({ path: "/dev/sda1", link: null });
    expect(plan("sda1 0:0 600 !", "sda1")).toBeNull();
  });

  test("bracket expressions are those of POSIX", () => {
    expect(plan("sd[[:alpha:]][[:digit:]]* 0:6 600", "sda1")?.groupId).toBe(6);
    expect(plan("tty[^[:digit:]] 0:6 600", "tty1")?.groupId).toBe(0);
    expect(plan("a[]x]b 0:6 600", "a]b")?.groupId).toBe(6);
    expect(plan("a[\\]b 0:6 600", "a\\b")?.groupId).toBe(6);
  });
});

test("lines that cannot be honoured are reported by number, and the others count", () => {
  const text = [
    "sd[a root:root 600",
    "sda1 nobody:root 600",
    "sda1 root:staff 600",
    "sda1 root:disk rw-",
    "sda1",
    "-.* root:root 600 @/bin/log",
    "$MODALIAS=.* root:root 660 @modprobe $MODALIAS",
    "sda1 root:disk 640 */sbin/hook",
  ].join("\n");
  const { problems } = parseMdevConfig(text, IDS);
  expect(problems).toEqual([
    "line 1: sd[a is not a valid pattern",
    "line 2: there is no user nobody",
    "line 3: there is no group staff",
    "line 4: rw- is not a mode",
    "line 5: owner or mode is missing",
    "commands are not run (line 6, 7, 8)",
  ]);
  expect(plan(text, "sda1")).toMatchObject({ groupId: 6, mode: 0o640 });
});
