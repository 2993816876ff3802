import { beforeAll, describe, expect, test } from "bun:test";
import { hashPlainKey } from "../../src/keys/kdf.ts";
import { type FakeBootOptions, rootImage } from "../support/fake-boot.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { partitionDisk } from "../support/fake-partitions.ts";
import { CHEAP, provideLuksImage } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, plainDisk, typed } from "../support/luks/encrypted-disk.ts";

// Whole boots with devices that are not what they seem: cloned, exchanged, gone, or a stranger's.

const UUID = "6c657661-696e-4000-8000-0000000000a1";
const OTHER = "6c657661-696e-4000-8000-0000000000a2";
const SMALL = "--type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2";
const recipe = (name: string, words: string) => ({
  name,
  script: `cryptsetup luksFormat -q ${SMALL} ${words} ${CHEAP} $1 key`,
});
const VAULT = recipe("devices-vault", `--label VAULT --uuid ${UUID}`);

const root = rootImage("ROOT");
const plainRoot = rootImage("PLAIN");
let vault: FakeImage;
let other: FakeImage;
let twin: FakeImage;
let sameInside: FakeImage;
let locked: FakeImage;
beforeAll(async () => {
  vault = await luksDisk(VAULT, root);
  other = await luksDisk(recipe("devices-other", `--uuid ${OTHER}`), plainRoot);
  twin = { ...vault, bytes: vault.bytes.slice() };
  twin.bytes.fill(0x5a, vault.bytes.length - 4096);
  locked = lockedFor(vault);
  sameInside = await luksDisk(recipe("devices-same", `--uuid ${UUID}`), vault);
});

const NAMED = `rd.luks.name=${UUID}=box`;
const disk = (name: string, image: FakeImage, more: { readonly arrivesAtMs?: number } = {}) => ({
  name,
  image,
  ...more,
});

function boot(more: FakeBootOptions = {}) {
  return cryptBoot({
    cmdline: `${NAMED} root=/dev/mapper/box`,
    disks: [disk("vda", vault)],
    images: [root, plainRoot, vault],
    typing: typed("pass"),
    ...more,
  });
}

type Booted = ReturnType<typeof boot>;
const screen = ({ machine }: Booted) => machine.terminals.screen("/dev/ttyS0");
const prompts = (result: Booted) => screen(result).split("  unlock    ").length - 1;
const maps = ({ journal }: Booted) => journal.filter((line) => line.startsWith("map "));

const whenAsked = (act: (machine: FakeMachine) => void) => (machine: FakeMachine) => {
  const { readTerminals } = machine;
  let isFirst = true;
  Object.assign(machine, {
    readTerminals(timeoutMs: number | null) {
      const isAsked = timeoutMs !== 0;
      if (isFirst && isAsked) act(machine);
      isFirst &&= !isAsked;
      return readTerminals(timeoutMs);
    },
  });
};

function loadCrypt(machine: FakeMachine): void {
  const directory = "/lib/modules/6.1.0-fake/kernel";
  for (const path of ["drivers/md/dm-mod", "drivers/md/dm-crypt", "crypto/xts", "crypto/ecb"]) {
    const name = path.slice(path.lastIndexOf("/") + 1).replace("-", "_");
    if (machine.stat(`/sys/module/${name}`) === null) machine.startModule(`${directory}/${path}.ko`, "");
  }
}

/** Opens the volume on the device of that number as the user of a rescue shell would. */
async function openByHand(number: string, name = "mine"): Promise<(machine: FakeMachine) => void> {
  const { volumeKey } = await provideLuksImage(VAULT);
  return (machine) => {
    loadCrypt(machine);
    const payload = new Uint8Array(volumeKey ?? []);
    const key = machine.addLogonKey("by:hand", payload);
    const table = `aes-xts-plain64 :${payload.length}:logon:by:hand 0 ${number} 4096 1 sector_size:4096`;
    const target = { startSector: 0, sectors: root.bytes.length / 512, type: "crypt", parameters: Buffer.from(table) };
    const uuid = `CRYPT-LUKS2-${UUID.replaceAll("-", "")}-${name}`;
    machine.createMapping({ name, uuid, readOnly: false, targets: [target] });
    machine.removeKey(key);
  };
}

describe("two disks with the same header", () => {
  const cancelled = [{ terminal: "/dev/ttyS0", text: "\x03" }, ...typed("pass")];
  const disks = () => [disk("vda", vault), disk("vdb", twin)];

  const byPath = "cryptdevice=/dev/vda:box root=LABEL=ROOT";
  const rootOf = ({ console }: Booted) => /^ {2}root {6}.*? in \S+/m.exec(console)?.[0];

  test("a mapping of the one is not mistaken for one of the other", async () => {
    const rescued = { disks: disks(), typing: cancelled };
    const twins = boot({ ...rescued, cmdline: byPath, person: [await openByHand("8:16")] });
    expect(prompts(twins)).toBe(2);
    expect(maps(twins).at(-1)).toEndWith("-box: crypt");
    const own = boot({ ...rescued, cmdline: byPath, person: [await openByHand("8:0")] });
    expect(prompts(own)).toBe(1);
    expect(rootOf(own)).toBe('  root      /dev/mapper/mine ext4 "ROOT" in /dev/vda');
  });

  test("the one that the user has opened is the one that is used", async () => {
    const person = [await openByHand("8:16")];
    const disks = [disk("vda", locked), disk("vdb", vault)];
    const result = boot({ cmdline: `${NAMED} root=LABEL=ROOT`, disks, typing: cancelled, person });
    expect(prompts(result)).toBe(1);
    expect(rootOf(result)).toBe('  root      /dev/mapper/mine ext4 "ROOT" in /dev/vdb');
  });

  test("the boot says which one it opens", () => {
    const { console } = boot({ disks: disks() });
    expect(console).toContain(`warning   2 devices match UUID=${UUID}: /dev/vda and /dev/vdb; trying each`);
  });

  test("one inside the other: with two names both open, and with one name neither is mistaken for the other", () => {
    const options = { disks: [disk("vda", sameInside)] };
    const both = boot({
      ...options,
      files: { "/etc/crypttab": "outer /dev/vda none luks\ninner /dev/mapper/outer none luks\n" },
      cmdline: "root=/dev/mapper/inner",
    });
    expect(both.end).toMatchObject({ mode: "switch_root" });
    expect(both.console).toContain(
      '/dev/mapper/inner ext4 "ROOT" in /dev/mapper/outer crypto_LUKS in /dev/vda crypto_LUKS',
    );
    const one = boot({ ...options, cmdline: "rd.auto root=LABEL=ROOT rd.timeout=2" });
    expect(one.console).toContain(`the name luks-${UUID} is taken`);
    expect(one.console).not.toContain("bug in levain");
    expect(one.shells).toBe(1);
  });
});

describe("a disk that is exchanged during the prompt", () => {
  const exchange = (image: FakeImage, arrivesAtMs: number) =>
    whenAsked((machine) => {
      machine.pullOut("sda");
      machine.plugIn({ name: "sda", image, arrivesAtMs });
    });
  const cmdline = "cryptdevice=/dev/sda:box root=/dev/mapper/box";
  const disks = () => [disk("sda", vault)];

  test("is probed again, even if the kernel gives it the same number", () => {
    const result = boot({ cmdline, disks: disks(), before: exchange(other, 0) });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(maps(result)).toEqual([`map box as CRYPT-LUKS2-${OTHER.replaceAll("-", "")}-box: crypt`]);
    expect(screen(result)).toContain("/dev/sda (LUKS2) as box, 5 tries left");
  });

  test("is noticed even if the kernel has dropped uevents", () => {
    const before = whenAsked((machine) => {
      machine.pullOut("sda");
      machine.plugIn({ name: "sda", image: other });
      machine.overflowEvents();
    });
    const result = boot({ cmdline, disks: disks(), before });
    expect(maps(result)).toEqual([`map box as CRYPT-LUKS2-${OTHER.replaceAll("-", "")}-box: crypt`]);
  });

  test("ends the prompt, which returns with the disk", () => {
    const result = boot({ cmdline, disks: disks(), before: exchange(vault, 6000), typing: typed("x", "pass") });
    expect(prompts(result)).toBe(2);
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(screen(result)).not.toContain("wrong passphrase");
  });

  test("goes while its key is derived: the boot says so, and unlocks it without another prompt when it is back", () => {
    const before = (machine: FakeMachine) => {
      const { addLogonKey } = machine;
      let isThere = true;
      Object.assign(machine, {
        addLogonKey(description: string, payload: Uint8Array) {
          if (isThere) machine.pullOut("sda");
          if (isThere) machine.plugIn({ name: "sda", image: vault, arrivesAtMs: machine.nowMs() + 2000 });
          isThere = false;
          return addLogonKey(description, payload);
        },
      });
    };
    const result = boot({ cmdline, disks: disks(), before });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).toContain(
      'warning   /dev/sda (LUKS2, "VAULT") as box went away while it was being unlocked',
    );
    expect(prompts(result)).toBe(1);
  });

  test("and does not come back: the root is missing", () => {
    const before = whenAsked((machine) => machine.pullOut("sda"));
    const result = boot({ cmdline: `${cmdline} rd.timeout=3`, disks: disks(), before, typing: [] });
    expect(result.console).toContain("no device /dev/mapper/box appeared within 3 s");
    expect(result.console).toContain("encrypted device /dev/sda did not appear");
  });

  test("is tried with the passphrase that was typed for the one before it", () => {
    let typedLines = 0;
    const before = (machine: FakeMachine) => {
      const { readTerminals } = machine;
      Object.assign(machine, {
        readTerminals(timeoutMs: number | null) {
          const input = readTerminals(timeoutMs);
          if (input.kind !== "typed" || ++typedLines !== 2) return input;
          machine.pullOut("sda");
          machine.plugIn({ name: "sda", image: vault });
          return input;
        },
      });
    };
    const result = boot({ cmdline, disks: [disk("sda", locked)], before, typing: typed("pass", "nonsense") });
    expect(prompts(result)).toBe(2);
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });
});

/** The same header, but no passphrase opens it: the key material is noise. */
function lockedFor(image: FakeImage): FakeImage {
  const bytes = image.bytes.slice();
  bytes.fill(0x77, 32 << 10, 300 << 10);
  return { ...image, bytes };
}

describe("a volume that a boot can do without", () => {
  const files = { "/etc/crypttab": `data UUID=${UUID} none luks,nofail\n` };

  test("ends its prompt when the root appears", () => {
    const late = disk("vdb", plainRoot, { arrivesAtMs: 20_000 });
    const result = boot({ cmdline: "root=LABEL=PLAIN", files, disks: [disk("vda", vault), late], typing: [] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(screen(result)).toContain("no longer needed");
    expect(maps(result)).toEqual([]);
  });

  test("includes everything that only rd.auto selects: a stranger's stick that no passphrase of ours opens", () => {
    const stick = disk("sda", lockedFor(other));
    const result = boot({ cmdline: "rd.auto root=LABEL=ROOT", disks: [stick, disk("vda", vault)] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(prompts(result)).toBe(1);
    expect(maps(result)).toHaveLength(1);
    const late = disk("vdb", plainRoot, { arrivesAtMs: 20_000 });
    const aside = boot({ cmdline: "rd.auto root=LABEL=PLAIN", disks: [stick, late], typing: [] });
    expect(aside.end).toMatchObject({ mode: "switch_root" });
  });

  test("keeps its prompt while other devices appear", () => {
    const late = disk("vdb", fakeImage("vfat", { label: "OTHER" }), { arrivesAtMs: 20_000 });
    const result = boot({
      cmdline: "root=LABEL=ROOT",
      files,
      disks: [disk("vda", vault), late],
      typing: [{ terminal: "/dev/ttyS0", text: "pass\r", atMs: 30_000 }],
    });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(prompts(result)).toBe(1);
  });
});

describe("a name that is taken", () => {
  const foreign = (name: string) => (machine: FakeMachine) => {
    machine.makeDirectory("/sys");
    loadCrypt({ ...machine, stat: () => null } as FakeMachine);
    const parameters = Buffer.from("8:16 0");
    const targets = [{ startSector: 0, sectors: 8, type: "linear", parameters }];
    machine.createMapping({ name, uuid: "SOMEBODY-else", readOnly: false, targets });
  };
  const disks = () => [disk("vda", vault), disk("vdb", fakeImage("vfat", { label: "X" }))];

  test("by a mapping like that of a partition in a volume: it is not mistaken for it", async () => {
    const table = partitionDisk([{ image: root }]);
    const inside = { type: "gpt", bytes: table.bytes, root: root.root };
    const words = `--sector-size 512 --uuid ${OTHER}`;
    const result = boot({
      cmdline: `rd.luks.name=${OTHER}=box root=LABEL=ROOT rd.timeout=2`,
      disks: [disk("vda", await luksDisk(recipe("devices-table", words), inside)), ...disks().slice(1)],
      before: foreign("box1"),
    });
    expect(result.console).toContain("warning   the partitions in /dev/mapper/box cannot be opened:");
    expect(result.shells).toBe(1);
  });

  test("is reported before the user is asked", () => {
    const result = boot({ cmdline: `${NAMED} root=LABEL=ROOT`, disks: disks(), before: foreign("box") });
    expect(result.console).toContain(
      'could not unlock /dev/vda (LUKS2, "VAULT") as box\n  the name box is taken by another device, dm-0\n',
    );
    expect(prompts(result)).toBe(0);
    expect(result.shells).toBe(1);
  });
});

test("the label of a LUKS2 header names a volume, with or without udev's escapes", () => {
  for (const label of ["VAULT", "V\\x41ULT"]) {
    const result = boot({ cmdline: `rd.luks.label=${label} root=LABEL=ROOT` });
    expect(maps(result)).toEqual([expect.stringContaining(`luks-${UUID}`)]);
    expect(result.end).toMatchObject({ mode: "switch_root" });
  }
});

describe("a label that other devices have as well", () => {
  test("means the encrypted device", () => {
    const cmdline = "cryptdevice=LABEL=VAULT:box root=/dev/mapper/box";
    const stick = disk("sda", fakeImage("vfat", { label: "VAULT" }));
    const result = boot({ cmdline, disks: [stick, disk("vda", vault)] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).not.toContain("devices match");
  });

  test("of a key stick means the filesystem, not the volume around it", async () => {
    const keys = fakeImage("ext4", { label: "KEYS" }, { "/root.key": "pass" });
    const script = `printf other > key; cryptsetup luksFormat -q ${SMALL} --label KEYS --uuid ${OTHER} ${CHEAP} $1 key`;
    const stick = await luksDisk({ name: "devices-keys", script }, keys);
    const result = boot({
      cmdline: `rd.luks.uuid=${OTHER} ${NAMED} rd.luks.key=${UUID}=/root.key:LABEL=KEYS root=/dev/mapper/box`,
      disks: [disk("vda", vault), disk("sdb", stick)],
      images: [root, keys],
      typing: typed("other"),
    });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(prompts(result)).toBe(1);
    expect(result.console).not.toContain("cannot be read");
  });
});

test("a plain volume whose mount fails gets another prompt, which does not call the passphrase wrong; a LUKS volume beside it does not", () => {
  const key = hashPlainKey("sha256", Buffer.from("plain"), 32) ?? new Uint8Array();
  const plain = plainDisk({ cipher: "aes-cbc-essiv:sha256", key }, plainRoot);
  const result = boot({
    cmdline:
      `${NAMED} cryptdevice=/dev/vdb:root:plain,hash=sha256,cipher=aes-cbc-essiv:sha256,size=256,tries=3 ` +
      "root=/dev/mapper/root",
    disks: [disk("vda", vault), disk("vdb", plain)],
    typing: typed("pass", "plain", "plain"),
    before: (machine) => machine.refuse("mount", "/dev/mapper/root at /sysroot", "EINVAL", { times: 1 }),
  });
  expect(result.end).toMatchObject({ mode: "switch_root" });
  expect(screen(result)).not.toContain("wrong passphrase");
  const questions = screen(result).match(/unlock {4}.*/g);
  expect(questions?.map((line) => line.replace(/^unlock {4}\/dev\/(\w+).* as /, "$1 "))).toEqual([
    "vda box, 5 tries left",
    "vdb root, 3 tries left",
    "vdb root, 2 tries left",
  ]);
});

test("the volume is opened even if udev's directory cannot be written", () => {
  const before = (machine: FakeMachine) => machine.refuse("writeFile", "/run/udev/data", "ENOSPC");
  const result = boot({ before });
  expect(result.end).toMatchObject({ mode: "switch_root" });
  expect(result.console).toContain("warning   udev of the real system may not know dm-0:");
});

test("an image on a stick is not used while the volume that a parameter names is present", () => {
  const stick = fakeImage("vfat", { label: "FLASH" }, { "/root.luks": vault.bytes });
  const result = boot({
    cmdline: `root=LABEL=FLASH rd.image=/root.luks ${NAMED} rd.timeout=2`,
    disks: [disk("vda", twin), disk("sda", stick)],
    images: [root, vault],
  });
  expect(result.console).toContain(
    'could not find the root device\n  LABEL=FLASH is /dev/sda vfat "FLASH", not used: it lies outside the\n' +
      "    encrypted volumes that parameters name\n",
  );
  expect(result.shells).toBe(1);
});

test("the only terminal hangs up: it is opened again and shows the prompt", () => {
  const before = whenAsked((machine) => machine.terminals.hangUp("/dev/ttyS0"));
  const result = boot({ before, typing: [{ terminal: "/dev/ttyS0", text: "pass\r", atMs: 60_000 }] });
  expect(result.end).toMatchObject({ mode: "switch_root" });
  expect(prompts(result)).toBe(2);
});
