import { beforeAll, describe, expect, test } from "bun:test";
import { type FakeBootOptions, rootImage } from "../support/fake-boot.ts";
import type { FakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";
import { editJson } from "../support/luks/luks2-edit.ts";

// Boots from volumes whose keys another process derives. On the fake machine a million iterations take a second.

const UUID = "6c657661-696e-4000-8000-00000000dddd";
const NAMED = `rd.luks.name=${UUID}=cryptroot root=LABEL=ROOT`;
const script = [
  "cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096",
  `--uuid ${UUID} --pbkdf pbkdf2 --pbkdf-force-iterations 250000 $1 key`,
].join(" ");

const root = rootImage("ROOT");
let modest: FakeImage;
let costly: FakeImage;
beforeAll(async () => {
  modest = await luksDisk({ name: "boot-modest", script }, root);
  const bytes = editJson(modest.bytes, ({ keyslots }) => (keyslots[0].kdf.iterations = 500_000_000));
  costly = { ...modest, bytes };
});

function boot(image: FakeImage, more: FakeBootOptions = {}) {
  const disks = [{ name: "vda", image }];
  return cryptBoot({ cmdline: NAMED, disks, images: [root], typing: typed("pass"), ...more });
}

/** Acts when a key is first derived. */
const whileDeriving = (act: (machine: FakeMachine) => void) => (machine: FakeMachine) => {
  const { startChild } = machine;
  let isFirst = true;
  const watched: FakeMachine["startChild"] = (command) => {
    const child = startChild(command);
    const answer = (timeoutMs: number) => {
      if (isFirst) act(machine);
      isFirst = false;
      return child.answer(timeoutMs);
    };
    return { ...child, answer };
  };
  Object.assign(machine, { startChild: watched });
};

test("a key is derived by one process, for the keyslot and for its digest, which ends before the real init starts", () => {
  const result = boot(modest);
  expect(result.end).toMatchObject({ mode: "switch_root" });
  expect(result.console).toContain("unlocking /dev/vda: pbkdf2, 250000 iterations of sha256");
  const { children } = result.machine;
  expect({ started: children.started(), alive: children.alive() }).toEqual({ started: 1, alive: 0 });
});

test("Ctrl-C stops a derivation: the boot gives up as at a prompt, and asks again after the shell", () => {
  const typing = [...typed("pass"), { terminal: "/dev/ttyS0", text: "\x03", atMs: 30_000 }];
  const result = boot(costly, { typing });
  expect(result.shells).toBe(1);
  expect(result.endMs).toBeWithin(30_000, 31_000);
  expect(result.console).toContain("could not unlock /dev/vda (LUKS2) as cryptroot\n  cancelled by Ctrl-C");
  expect(result.console).toContain("hint: `exit` asks again");
  expect(result.console).toMatch(/unlocking \/dev\/vda: 20 s so far; Ctrl-C gives up/);
  expect(result.machine.children.alive()).toBe(0);
});

test("a derivation stops when its device goes away, and the boot says that it waits for it", () => {
  const before = whileDeriving((machine) => machine.pullOut("vda"));
  const result = boot(costly, { before, cmdline: `${NAMED} rd.timeout=3` });
  expect(result.console).toContain("/dev/vda (LUKS2) as cryptroot went away while it was being unlocked");
  expect(result.console).toContain('no device with label "ROOT" appeared within 3 s');
  expect(result.endMs).toBeLessThan(20_000);
});

describe("an unencrypted root that appears while the key of a volume that only rd.auto selects is derived", () => {
  const before = whileDeriving((machine) =>
    machine.plugIn({ name: "vdb", image: root, arrivesAtMs: machine.nowMs() + 9000 }),
  );

  test("is not accepted before the key was tried, as long as max-kdf= allows", () => {
    const files = { "/k": "pass" };
    const result = boot(costly, { before, files, typing: [], cmdline: "rd.auto rd.luks.key=/k root=LABEL=ROOT" });
    expect(result.console).toContain("deriving the key was stopped after 2 min");
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.mounts).toContain("/sysroot ext4 /dev/vdb");
    expect(result.machine.children.alive()).toBe(0);
  });

  test("is not accepted before what the user typed was tried", () => {
    const result = boot(costly, { before, cmdline: "rd.auto root=LABEL=ROOT" });
    expect(result.console).toContain("deriving the key was stopped after 2 min");
    expect(result.endMs).toBeGreaterThan(120_000);
  });
});

describe("max-kdf=", () => {
  test("stops a derivation that takes twice as long, whatever was estimated", () => {
    const result = boot(costly, { cmdline: `${NAMED} rd.luks.options=max-kdf=10` });
    expect(result.console).toContain("deriving the key was stopped after 20 s: max-kdf= allows 10 s");
    expect(result.shells).toBe(1);
    expect(result.machine.children.alive()).toBe(0);
  });

  test("bounds all keyslots of a volume together", () => {
    const bytes = editJson(modest.bytes, ({ keyslots, digests }) => {
      const [first] = Object.values<{ kdf: { iterations: number }; area: { offset: string; size: string } }>(keyslots);
      if (first === undefined) throw new Error("no keyslot");
      first.kdf.iterations = 8_000_000;
      for (const id of [1, 2, 3]) {
        const offset = String(Number(first.area.offset) + id * Number(first.area.size));
        keyslots[id] = { ...first, area: { ...first.area, offset } };
      }
      for (const digest of Object.values<{ keyslots: string[] }>(digests)) digest.keyslots = Object.keys(keyslots);
    });
    const many = boot({ ...modest, bytes }, { cmdline: `${NAMED} rd.luks.options=max-kdf=10`, typing: typed("wrong") });
    expect(many.console).toContain("deriving the key was stopped after 20 s: max-kdf= allows 10 s");
  });

  test("is 60 s for a volume that only rd.auto selects, and no limit for a named one", () => {
    const auto = boot(costly, { cmdline: "rd.auto root=LABEL=ROOT rd.timeout=3" });
    expect(auto.console).toContain("deriving the key was stopped after 2 min: max-kdf= allows 60 s");
    const typing = [...typed("pass"), { terminal: "/dev/ttyS0", text: "\x03", atMs: 400_000 }];
    expect(boot(costly, { typing }).endMs).toBeGreaterThan(399_000);
    const free = { cmdline: "rd.auto root=LABEL=ROOT rd.luks.options=max-kdf=0", typing };
    expect(boot(costly, free).endMs).toBeGreaterThan(399_000);
  });
});

test("a process that the kernel kills is reported as lack of memory, and the next try starts another", () => {
  const before = whileDeriving((machine) => machine.children.killAll());
  const result = boot(modest, { before, person: [() => undefined], typing: typed("pass", "pass") });
  expect(result.console).toContain("the kernel killed the process that derives the key");
  expect(result.end).toMatchObject({ mode: "switch_root" });
  expect(result.machine.children.started()).toBe(2);
});
