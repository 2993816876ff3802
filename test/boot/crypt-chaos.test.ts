import { beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import type { BootRecord } from "../../src/log/boot-record.ts";
import { rootImage } from "../support/fake-boot.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk } from "../support/luks/encrypted-disk.ts";

// Boots with prompts during which anything happens: disks come, go and change places, right and wrong passphrases are typed.

const UUID = "6c657661-696e-4000-8000-0000000000c1";
const OTHER = "6c657661-696e-4000-8000-0000000000c2";
const SERIAL = "/dev/ttyS0";
const NAMES = ["sda", "sdb", "sdc"] as const;
const TIMEOUT_MS = 600_000;

const root = rootImage("ROOT");
const data = fakeImage("ext4", { label: "DATA" });
let images: Readonly<Record<string, FakeImage>> = {};
beforeAll(async () => {
  const small = "--type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2";
  const format = (words: string) => `cryptsetup luksFormat -q ${small} ${words} ${CHEAP} $1 key`;
  const vault = await luksDisk({ name: "chaos-vault", script: format(`--uuid ${UUID}`) }, root);
  const secret = `printf secret > key; ${format(`--uuid ${OTHER}`)}`;
  images = {
    vault,
    other: await luksDisk({ name: "chaos-other", script: secret }, data),
    cut: { ...vault, bytes: vault.bytes.slice(0, 1 << 20) },
    key: fakeImage("vfat", { label: "KEYS" }, { "/k": "pass" }),
    wrongKey: fakeImage("vfat", { label: "KEYS" }, { "/k": "no" }),
    keyless: fakeImage("vfat", { label: "KEYS" }, {}),
    plain: rootImage("PLAIN"),
  };
});

type Act =
  | { readonly act: "type"; readonly text: string }
  | { readonly act: "plug" | "swap"; readonly name: string; readonly image: string }
  | { readonly act: "pull"; readonly name: string }
  | { readonly act: "lose" };

const name = fc.constantFrom(...NAMES);
const image = fc.constantFrom("vault", "other", "cut", "key", "wrongKey", "keyless", "plain");
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    fc.record({
      act: fc.constant("type" as const),
      text: fc.constantFrom("pass\r", "secret\r", "no\r", "half", "\x15"),
    }),
    fc.record({ act: fc.constantFrom("plug" as const, "swap" as const), name, image }),
    fc.record({ act: fc.constant("pull" as const), name }),
    fc.constant({ act: "lose" as const }),
  ),
  { maxLength: 12 },
);
const lines = fc.constantFrom(
  `rd.luks.name=${UUID}=box root=LABEL=ROOT`,
  `rd.luks.name=${UUID}=box root=/dev/mapper/box rd.luks.key=/k:LABEL=KEYS`,
  "rd.auto root=LABEL=ROOT rd.luks.key=/k:LABEL=KEYS",
  `root=UUID=${UUID} rd.luks.uuid=${OTHER}`,
  "cryptdevice=/dev/sda:box root=/dev/mapper/box",
);

/** Runs the acts, one at each prompt; after the last the user gives up. Returns what was typed. */
function play(machine: FakeMachine, happenings: readonly Act[]): Uint8Array[] {
  const typed: Uint8Array[] = [];
  const waiting = [...happenings];
  const { readTerminals } = machine;
  const type = (text: string) => {
    const bytes = Buffer.from(text);
    typed.push(bytes);
    return { kind: "typed", terminal: SERIAL, bytes } as const;
  };
  Object.assign(machine, {
    readTerminals(timeoutMs: number | null) {
      if (timeoutMs === 0) return readTerminals(0); // nobody is asked
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (next.act === "type") return type(next.text);
        happen(machine, next);
      }
      const input = readTerminals(0);
      return input.kind === "timeout" ? type("\x03") : input;
    },
  });
  return typed;
}

function happen(machine: FakeMachine, next: Exclude<Act, { readonly act: "type" }>): void {
  if (next.act === "lose") {
    machine.overflowEvents();
    return;
  }
  const isThere = machine.stat(`/sys/class/block/${next.name}`) !== null;
  if (isThere && next.act !== "plug") machine.pullOut(next.name);
  if (next.act === "swap" || (next.act === "plug" && !isThere)) {
    machine.plugIn({ name: next.name, image: images[next.image] ?? data });
  }
}

test(
  "whatever happens during prompts, the boot ends, says why, leaves nothing behind and wipes what was typed",
  () => {
    const ends = new Set<string>();
    fc.assert(
      fc.property(lines, image, acts, (line, first, happenings) => {
        let typed: readonly Uint8Array[] = [];
        const result = cryptBoot({
          cmdline: `${line} rd.timeout=3 rd.luks.options=tries=3 rd.luks.key.tout=2`,
          disks: [{ name: "sda", image: images[first] ?? data }],
          images: [root, data, ...Object.values(images)],
          before: (machine) => {
            typed = play(machine, happenings);
          },
          person: [look],
        });
        expect(result.console).not.toMatch(/bug in levain|undefined|\[object/);
        ends.add(typeof result.end === "string" ? result.end : result.end.mode);
        for (const bytes of typed) expect(bytes.every((byte) => byte === 0)).toBe(true);
        expect(result.machine.keysInKernel()).toEqual([]);
      }),
      { numRuns: 300 },
    );
    expect([...ends].sort()).toEqual(["poweroff", "switch_root"]);
  },
  TIMEOUT_MS,
);

/** What the user finds in the rescue shell; a root that was found stays open, to be repaired. */
function look(machine: FakeMachine): void {
  const { steps } = JSON.parse(Buffer.from(machine.readFile("/run/levain/boot.json")).toString()) as BootRecord;
  const isFound = steps.some((step) => step.name === "root" && step.outcome === "done");
  if (!isFound) expect(machine.listMappings()).toEqual([]);
  expect(machine.keysInKernel()).toEqual([]);
  const mounts = Buffer.from(machine.readFile("/proc/self/mountinfo")).toString();
  expect(mounts).not.toContain("/run/levain/search");
  machine.power("poweroff");
}
