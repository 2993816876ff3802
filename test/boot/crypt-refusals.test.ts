import { beforeAll, describe, expect, test } from "bun:test";
import type { BootRecord } from "../../src/log/boot-record.ts";
import { type FakeBootOptions, rootImage } from "../support/fake-boot.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";
import { type RecordedCall, refusalBoots } from "../support/refuse-call.ts";

// As in refusals.test.ts, but of encrypted roots.

const UUID = "6c657661-696e-4000-8000-00000000dddd";
const script = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --uuid ${UUID} --key-size 256 --pbkdf pbkdf2 ${CHEAP} $1 key`;
const root = rootImage("ROOT");
let luks: FakeImage;
beforeAll(async () => {
  luks = await luksDisk({ name: "boot-refusals", script }, root);
});

/** Some hundred boots. */
const TIMEOUT_MS = 600_000;
const exit = () => undefined;
const ENOUGH = typed(...new Array<string>(8).fill("pass"));

const BOOTS: Readonly<Record<string, () => FakeBootOptions>> = {
  "a passphrase": () => ({
    cmdline: `root=UUID=${UUID}`,
    disks: [{ name: "vda", image: luks }],
    images: [root],
    typing: ENOUGH,
  }),
  "a key file on a stick": () => ({
    cmdline: `rd.luks.uuid=${UUID} rd.luks.key=/k:LABEL=KEYS root=LABEL=ROOT`,
    disks: [
      { name: "vda", image: luks },
      { name: "sdb", image: fakeImage("vfat", { label: "KEYS" }, { "/k": "pass" }), arrivesAtMs: 3000 },
    ],
    images: [root],
    typing: ENOUGH,
  }),
  "an image that is encrypted": () => ({
    cmdline: "root=LABEL=FLASH rd.image=/r.luks rd.overlay=0",
    disks: [{ name: "sda", image: fakeImage("vfat", { label: "FLASH" }, { "/r.luks": luks.bytes }) }],
    images: [root],
    typing: ENOUGH,
  }),
};

function bootWatched(options: FakeBootOptions, before: (machine: FakeMachine) => void) {
  const opensIn = options.cmdline?.includes("rd.image=") === true ? "layers" : "root";
  const left: unknown[] = [];
  const look = (machine: FakeMachine) => {
    const { steps } = JSON.parse(Buffer.from(machine.readFile("/run/levain/boot.json")).toString()) as BootRecord;
    // A failure after the root was found leaves it open for the user, who may have to repair it.
    const isOpen = steps.some(({ name, outcome }) => name === opensIn && outcome === "done");
    left.push(...(isOpen ? [] : machine.listMappings()), ...machine.keysInKernel());
  };
  return { ...cryptBoot({ ...options, before, person: [look, exit] }), left };
}

const { refused, recorded, recordNearby } = refusalBoots(bootWatched);
// With ENOENT and EBUSY, refusals.test.ts refuses the calls of a plain root.
beforeAll(() => {
  recordNearby({ cmdline: "root=LABEL=ROOT", disks: [{ name: "vda", image: root }] });
});

function isNoFailure(call: string, code: string): boolean {
  const isEmptyList = code === "ENOENT" && /^readFile \/lib\/modules\//.test(call);
  // Then the prompt is on other consoles, where nothing is typed in this test.
  return isEmptyList || /^readFile \/sys\/class\/tty\/console\/active/.test(call);
}

function isRepeated({ isNew, isNewNearby }: RecordedCall, code: string): boolean {
  return !(code === "EIO" ? isNew : isNewNearby);
}

for (const [name, options] of Object.entries(BOOTS)) {
  describe(name, () => {
    let whole: ReturnType<typeof recorded>;
    beforeAll(() => {
      whole = recorded(options());
    });

    for (const code of ["EIO", "ENOENT", "EBUSY"]) {
      test(
        `whatever call is refused with ${code}, the boot says so, leaves nothing behind and goes on`,
        () => {
          expect(whole.end).toMatchObject({ mode: "switch_root" });
          expect(whole.shells).toBe(0);
          for (const [number, recorded] of whole.calls.entries()) {
            const call = recorded.text;
            if (isNoFailure(call, code) || isRepeated(recorded, code)) continue;
            const boot = refused(options(), number, code);
            const about = `${number}: ${call} → ${code}\n${boot.console}`;
            expect(boot.console, about).not.toMatch(/bug in levain|undefined|\[object/);
            expect(boot.end, about).toEqual(whole.end);
            expect(boot.shells, about).toBeLessThanOrEqual(1);
            if (/^(removeKey|removeMapping)/.test(call)) continue;
            expect(boot.left, about).toEqual([]);
          }
        },
        TIMEOUT_MS,
      );
    }
  });
}
