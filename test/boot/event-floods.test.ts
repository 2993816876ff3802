import { beforeAll, describe, expect, test } from "bun:test";
import { type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";

// Whole boots with a device that always has one more event to report: 50 a second, 20 ms each.

const EVERY_MS = 20;
/** More than ten minutes: the boot never ends. */
const MOST_EVENTS = 30_000;

type Flood = (machine: FakeMachine, count: number) => void;
const changes: Flood = (machine) => machine.change("sdz");
const comesAndGoes: Flood = (machine, count) =>
  count % 2 === 0 ? machine.pullOut("sdz") : machine.plugIn({ name: "sdz", image: STRANGER });
const losses: Flood = (machine) => machine.overflowEvents();

const STRANGER = fakeImage("vfat", { label: "STRANGER" });
const UNRELATED = { name: "sdz", image: STRANGER };

/** Adds an event before each look for one. */
const flooded = (flood: Flood) => (machine: FakeMachine) => {
  const { nextDeviceEvent, readTerminals } = machine;
  let count = 0;
  const another = () => {
    if (++count > MOST_EVENTS) throw new Error(`still busy with events after ${MOST_EVENTS} of them`);
    machine.sleepMs(EVERY_MS);
    flood(machine, count - 1);
  };
  Object.assign(machine, {
    nextDeviceEvent(timeoutMs: number | null) {
      another();
      return nextDeviceEvent(timeoutMs);
    },
    readTerminals(timeoutMs: number | null, until?: "anything" | "typing") {
      another();
      return readTerminals(timeoutMs, until);
    },
  });
};

function boot(flood: Flood, more: FakeBootOptions) {
  return fakeBoot({ cmdline: "root=LABEL=ROOT rd.timeout=10", before: flooded(flood), ...more });
}

const root = rootImage("ROOT");

describe.each([
  ["changes without end", changes],
  ["comes and goes without end", comesAndGoes],
  ["makes so many events that some are lost each time", losses],
])("an unrelated disk that %s", (_, flood) => {
  test("does not keep the boot from a root that is present", () => {
    const { end, endMs } = boot(flood, { disks: [{ name: "vda", image: root }, UNRELATED] });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeLessThan(5000);
  });

  test("does not keep it from one that appears later", () => {
    const { end, endMs } = boot(flood, { disks: [{ name: "vda", image: root, arrivesAtMs: 6000 }, UNRELATED] });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(endMs).toBeLessThan(9000);
  });

  test("does not keep it waiting beyond rd.timeout=", () => {
    const { end, console, endMs } = boot(flood, { disks: [UNRELATED] });
    expect(console).toContain('no device with label "ROOT" appeared within 10 s');
    expect(end).toBe("poweroff");
    expect(endMs).toBeLessThan(15_000);
  });
});

test("many queued events of one device make the boot probe it once", () => {
  let reads = 0;
  const { end, console } = fakeBoot({
    cmdline: "root=LABEL=ROOT rd.debug",
    disks: [{ name: "vda", image: root, arrivesAtMs: 6000 }, UNRELATED],
    before(machine) {
      const { nextDeviceEvent, openAsyncReader } = machine;
      Object.assign(machine, {
        openAsyncReader(path: string) {
          if (path === "/dev/sdz") reads += 1;
          return openAsyncReader(path);
        },
        nextDeviceEvent(timeoutMs: number | null) {
          if (timeoutMs === null || timeoutMs === 0) return nextDeviceEvent(timeoutMs);
          machine.sleepMs(500);
          for (let count = 0; count < 100; count++) machine.change("sdz");
          return nextDeviceEvent(timeoutMs);
        },
      });
    },
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(console).toContain("uevent change /devices/pci0000:00/0000:00:01.0/block/sdz (100 events)");
  const waits = console.match(/\(100 events\)/g)?.length ?? 0;
  expect(reads).toBe(1 + waits);
});

describe("during a prompt for a passphrase", () => {
  const UUID = "6c657661-696e-4000-8000-0000000000f1";
  let vault: FakeImage;
  beforeAll(async () => {
    const small = "--type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2";
    const script = `cryptsetup luksFormat -q ${small} --uuid ${UUID} ${CHEAP} $1 key`;
    vault = await luksDisk({ name: "floods-vault", script }, root);
  });

  const ask = (flood: Flood, cmdline = "", more: FakeBootOptions = {}) =>
    cryptBoot({
      cmdline: `rd.luks.name=${UUID}=box root=/dev/mapper/box ${cmdline}`,
      disks: [{ name: "vda", image: vault }, UNRELATED],
      images: [root],
      before: flooded(flood),
      typing: typed("pass"),
      ...more,
    });

  test.each([
    ["changes", changes],
    ["comes and goes", comesAndGoes],
    ["makes the kernel lose events", losses],
  ])("what is typed counts though a disk %s without end, and the prompt is not drawn all the time", (_, flood) => {
    const { end, machine } = ask(flood, "", { typing: [{ terminal: "/dev/ttyS0", text: "pass\r", atMs: 30_000 }] });
    expect(end).toMatchObject({ mode: "switch_root" });
    const drawn = machine.terminals.screen("/dev/ttyS0").split("passphrase: ").length - 1;
    expect(drawn).toBeLessThan(60);
    expect(drawn).toBeGreaterThan(3);
  });

  test("the prompt ends when its time is up", () => {
    const { console, endMs } = ask(changes, "rd.luks.options=timeout=20", { typing: [] });
    expect(console).toContain("no passphrase was typed within 20 s");
    expect(endMs).toBeLessThan(30_000);
  });
});

test("events of what is no block device do not make the search look at its devices again", () => {
  const NOISE = { action: "add", devpath: "/devices/virtual/bdi/8:0", subsystem: "bdi", properties: {} };
  const roundsWith = (noise: number) => {
    let rounds = 0;
    let left = noise;
    const { end } = fakeBoot({
      cmdline: "root=LABEL=ROOT",
      disks: [{ name: "vda", image: root, arrivesAtMs: 6000 }, UNRELATED],
      before(machine) {
        const { nextDeviceEvent, listMappings } = machine;
        Object.assign(machine, {
          listMappings() {
            rounds += 1;
            return listMappings();
          },
          nextDeviceEvent(timeoutMs: number | null) {
            if (timeoutMs === 0 || left === 0 || machine.nowMs() > 5000) return nextDeviceEvent(timeoutMs);
            left -= 1;
            machine.sleepMs(10);
            return NOISE;
          },
        });
      },
    });
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(left).toBe(0);
    return rounds;
  };
  // One for each of them before.
  expect(roundsWith(100)).toBe(roundsWith(0));
});
