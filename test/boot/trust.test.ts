import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type FakeBootOptions, ROOT_TREE, rootImage, stick } from "../support/fake-boot.ts";
import type { FakeDisk } from "../support/fake-disk.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import type { FakeMachine } from "../support/fake-machine.ts";
import { CHEAP, provideLuksImage } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";

// A filesystem's label and UUID are public, and so is the UUID of a LUKS header. Whole boots in which a stranger's disk has
// those of the root: what it carries must never run while an encrypted volume is open.

const UUID = "6c657661-696e-4000-8000-0000000000c1";
const SECOND = "6c657661-696e-4000-8000-0000000000c2";
/** Of the filesystem in the volume, and of the stranger's. */
const INNER = "0a1b2c3d-0000-4000-8000-00000000abcd";
const SMALL = "--type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2";
const recipe = (name: string, words: string) => ({
  name,
  script: `cryptsetup luksFormat -q ${SMALL} ${words} ${CHEAP} $1 key`,
});
const VAULT = recipe("trust-vault", `--label VAULT --uuid ${UUID}`);
/** The stranger's passphrase, which is like no other. */
const FOREIGN = {
  name: "trust-foreign",
  script: `printf theirs > theirs && cryptsetup luksFormat -q ${SMALL} --uuid ${UUID} ${CHEAP} $1 theirs`,
  opens: false,
};

const root = rootImage("ROOT");
const theirs = rootImage("ROOT", { "/sbin/theirs": "" });
const data = fakeImage("ext4", { label: "DATA" });
let vault: FakeImage;
let second: FakeImage;
let home: FakeImage;
beforeAll(async () => {
  vault = await luksDisk(VAULT, root);
  second = await luksDisk(recipe("trust-second", `--uuid ${SECOND}`), root);
  home = await luksDisk(recipe("trust-home", `--uuid ${SECOND}`), data);
});

const disk = (name: string, image: FakeImage, arrivesAtMs?: number): FakeDisk => ({
  ...{ name, image },
  ...(arrivesAtMs === undefined ? {} : { arrivesAtMs }),
});
const slow = (name: string, image: FakeImage, answersAfterMs = 900): FakeDisk => ({ name, image, answersAfterMs });
const stickOf = (image: FakeImage): FakeDisk => ({ name: "sda", image, isRemovable: true });
const KEY = { "/etc/root.key": "pass" };
const UNATTENDED = `rd.luks.uuid=${UUID} rd.luks.key=/etc/root.key`;

function boot(more: FakeBootOptions) {
  return cryptBoot({ images: [root, theirs, data, vault, second, home], typing: typed("pass"), ...more });
}
type Booted = ReturnType<typeof boot>;
/** The console, each paragraph on one line. */
const said = ({ console }: Booted) => console.replaceAll(/\n {4}/g, " ").replaceAll(/(\S)\n(?=\S)/g, "$1 ");
const rootOf = ({ console }: Booted) => /^ {2}root {6}(\S+)/m.exec(console)?.[1];
const mapped = ({ journal }: Booted) =>
  journal.reduce<readonly string[]>((open, line) => {
    const [, verb, name = ""] = /^(map|unmap) (\S+)/.exec(line) ?? [];
    const others = open.filter((other) => other !== name);
    return verb === "map" ? [...others, name] : others;
  }, []);

describe("a stranger's disk with the UUID of the filesystem in a volume that is asked for", () => {
  const inside = `/dev/mapper/luks-${UUID}`;
  const first = () => [disk("vda", theirs), disk("vdb", vault)];
  const last = () => [disk("vda", vault), disk("vdb", theirs)];
  const late = () => [disk("vda", theirs), disk("vdb", vault, 5000)];

  test.each([
    ["is there first", `rd.luks.uuid=${UUID} root=UUID=${INNER}`, first],
    ["is there too", `rd.luks.uuid=${UUID} root=UUID=${INNER}`, last],
    ["is there long before the volume", `rd.luks.uuid=${UUID} root=UUID=${INNER}`, late],
    ["has its label too", `rd.luks.name=${UUID}=box root=LABEL=ROOT`, first],
    ["is first, and a key opens the volume", `${UNATTENDED} root=UUID=${INNER}`, first],
    ["is first, and no shell is allowed", `${UNATTENDED} root=UUID=${INNER} rdshell=0`, first],
    ["is first, and rootfallback= names it", `rd.luks.uuid=${UUID} root=LABEL=NO rootfallback=UUID=${INNER}`, first],
  ])("%s", (_, cmdline, disks) => {
    const result = boot({ disks: disks(), cmdline: `${cmdline} rd.timeout=10`, files: KEY });
    expect(rootOf(result)).toBe(cmdline.includes("=box") ? "/dev/mapper/box" : inside);
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });

  test("is on a server that answers first: the root is in the volume, or the boot stops", () => {
    const nbd = {
      cards: [{ name: "eth0", mac: "52:54:00:00:00:01" }],
      servers: { "192.0.2.1:10809": { exports: { disk: theirs } } },
    };
    const cmdline = `rd.luks.uuid=${UUID} root=UUID=${INNER} netroot=nbd:192.0.2.1:disk ip=192.0.2.5/24:::::eth0:none`;
    const late = boot({ ...nbd, disks: [disk("vdb", vault, 5000)], cmdline: `${cmdline} rd.timeout=10` });
    expect(rootOf(late)).toBe(inside);
    const alone = boot({ ...nbd, disks: [], cmdline: `${cmdline} rd.timeout=2 rdshell=0` });
    expect(rootOf(alone)).toBeUndefined();
    expect(said(alone)).toContain('is /dev/nbd0 ext4 "ROOT", not used: it lies outside');
  });

  test("is the only candidate: it is named and not used, whether the volume is open or missing", () => {
    const open = boot({
      disks: [disk("vda", home), disk("vdb", theirs)],
      cmdline: `rd.luks.uuid=${SECOND} root=UUID=${INNER} rd.timeout=2`,
    });
    const missing = boot({
      disks: [disk("vdb", theirs)],
      cmdline: `rd.luks.uuid=${UUID} root=UUID=${INNER} rd.timeout=2`,
    });
    for (const result of [open, missing]) {
      expect(rootOf(result)).toBeUndefined();
      expect(said(result)).toContain('is /dev/vdb ext4 "ROOT", not used: it lies outside');
      expect(said(result)).toContain("rd.luks.options=UUID=nofail");
      expect(mapped(result)).toEqual([]);
    }
  });

  test("is used if the volume is optional, and then no volume stays open", () => {
    const cmdline = `rd.luks.uuid=${SECOND} rd.luks.options=nofail root=UUID=${INNER}`;
    const result = boot({ disks: [disk("vda", home), disk("vdb", theirs, 5000)], cmdline });
    expect(rootOf(result)).toBe("/dev/vdb");
    expect(said(result)).toContain(
      `warning   /dev/vdb ext4 "ROOT" is not encrypted: closed /dev/mapper/luks-${SECOND}`,
    );
    expect(mapped(result)).toEqual([]);
  });
});

describe("if no parameter names a volume", () => {
  test("a device in one comes before a device outside", () => {
    const before = (machine: FakeMachine) => {
      const { readTerminals } = machine;
      Object.assign(machine, {
        readTerminals(timeoutMs: number | null) {
          const input = readTerminals(timeoutMs);
          if (input.kind === "typed") machine.plugIn(disk("vdb", theirs));
          return input;
        },
      });
    };
    const result = boot({ disks: [disk("vda", vault)], cmdline: "rd.auto root=LABEL=ROOT", before });
    expect(rootOf(result)).toBe(`/dev/mapper/luks-${UUID}`);
  });

  test("what a key opens comes before a stranger's disk that appears first", () => {
    const cmdline = "rd.auto rd.luks.key=/etc/root.key root=LABEL=ROOT";
    const result = boot({ disks: [disk("vda", theirs), disk("vdb", vault)], cmdline, files: KEY, typing: [] });
    expect(rootOf(result)).toBe(`/dev/mapper/luks-${UUID}`);
  });

  test("a root that is not encrypted finds no volume open, though a key has opened one", () => {
    const cmdline = "rd.auto rd.luks.key=/etc/root.key root=LABEL=ROOT";
    const result = boot({ disks: [disk("vda", theirs), disk("vdb", home)], cmdline, files: KEY });
    expect(rootOf(result)).toBe("/dev/vda");
    expect(mapped(result)).toEqual([]);
  });

  test("no key is derived for another volume once the root is open", () => {
    const cmdline = "rd.auto rd.luks.key=/etc/root.key root=LABEL=ROOT";
    const result = boot({ disks: [disk("vda", vault), disk("vdb", home)], cmdline, files: KEY, typing: [] });
    expect(rootOf(result)).toBe(`/dev/mapper/luks-${UUID}`);
    expect(result.console).not.toContain("/dev/vdb");
  });

  test("a UUID means a LUKS header before a filesystem", () => {
    const copy = rootImage("COPY");
    const uuid = fakeImage("ext4", { label: "COPY", uuid: UUID }, ROOT_TREE);
    const disks = [disk("vda", uuid), disk("vdb", vault)];
    const result = boot({ disks, cmdline: `root=UUID=${UUID}`, images: [root, copy, uuid, vault] });
    expect(rootOf(result)).toBe(`/dev/mapper/luks-${UUID}`);
  });

  test("two volumes that both hold the root are refused", () => {
    const disks = [disk("vda", vault), disk("vdb", second)];
    const result = boot({
      disks,
      cmdline: `rd.luks.uuid=${UUID} rd.luks.uuid=${SECOND} root=UUID=${INNER} rd.timeout=2`,
    });
    expect(rootOf(result)).toBeUndefined();
    expect(said(result)).toContain(`2 devices in different encrypted volumes match UUID=${INNER}`);
    expect(mapped(result)).toEqual([]);
    const named = boot({ disks, cmdline: `rd.luks.name=${UUID}=box rd.luks.uuid=${SECOND} root=/dev/mapper/box` });
    expect(rootOf(named)).toBe("/dev/mapper/box");
  });
});

describe("a stranger's disk beside an encrypted disk that is slow to answer", () => {
  const copy = fakeImage("ext4", { label: "COPY", uuid: UUID }, ROOT_TREE);
  const vaultIsUsed = `/dev/mapper/luks-${UUID}`;
  const images = () => [root, theirs, data, vault, home, copy];

  test.each([
    ["a key for all volumes", "rd.auto rd.luks.key=/etc/root.key"],
    ["an optional volume with a key", `rd.luks.uuid=${UUID} rd.luks.key=/etc/root.key rd.luks.options=nofail`],
  ])("does not win if encryption is asked for: %s", (_, words) => {
    const disks = [disk("vda", theirs), slow("vdb", vault)];
    const result = boot({ disks, cmdline: `${words} root=UUID=${INNER}`, files: KEY });
    expect(rootOf(result)).toBe(vaultIsUsed);
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });

  test("a root that is a LUKS volume, with options for all volumes and nothing else", () => {
    const cmdline = `root=UUID=${UUID} rd.luks.options=discard`;
    const result = boot({ disks: [disk("vda", copy), slow("vdb", vault)], cmdline, images: images() });
    expect(rootOf(result)).toBe(vaultIsUsed);
  });

  test("a stick does not win though nothing speaks of encryption", () => {
    const disks = [stickOf(copy), slow("vdb", vault)];
    const result = boot({ disks, cmdline: `root=UUID=${UUID}`, images: images() });
    expect(rootOf(result)).toBe(vaultIsUsed);
    expect(said(result)).toContain("waiting for /dev/vdb, which may hold the encrypted root, 1 of 10 s");
  });

  test.each([
    ["rd.auto", "rd.auto", disk("vda", theirs), 30_000],
    ["rd.auto and a limit", "rd.auto rd.timeout=5", disk("vda", theirs), 5000],
    ["nothing, on a stick", "", stickOf(theirs), 10_000],
  ])("is waited for within a bound: %s", (_, words, quick, limitMs) => {
    const disks = [quick, slow("vdb", vault, Number.POSITIVE_INFINITY)];
    const result = boot({ disks, cmdline: `${words} root=UUID=${INNER}` });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(rootOf(result)).toBe(`/dev/${quick.name}`);
    expect(said(result)).toContain(
      `/dev/${quick.name} ext4 "ROOT" is not encrypted; /dev/vdb, which may hold the encrypted root, did not answer in time`,
    );
    expect(result.endMs).toBeGreaterThan(limitMs);
    expect(result.endMs).toBeLessThan(limitMs + 4000);
  });

  test.each([
    ["a disk that cannot be plugged in", "", disk("vda", theirs)],
    ["a stick, and encryption is off", "rd.luks=0", stickOf(theirs)],
    ["a stick that is named by its path", "", stickOf(theirs)],
  ])("does not hold up a root on %s", (what, words, quick) => {
    const named = what.endsWith("path") ? `/dev/${quick.name}` : `UUID=${INNER}`;
    const disks = [quick, slow("vdb", data, Number.POSITIVE_INFINITY)];
    const result = boot({ disks, cmdline: `${words} root=${named}` });
    expect(rootOf(result)).toBe(`/dev/${quick.name}`);
    expect(result.endMs).toBeLessThan(2500);
  });

  test("devices that come and go do not extend the wait", () => {
    const before = (machine: FakeMachine) => {
      const { nextDeviceEvent } = machine;
      let count = 0;
      Object.assign(machine, {
        nextDeviceEvent(timeoutMs: number | null) {
          if (machine.nowMs() > 3000 + count * 500 && machine.nowMs() < 60_000) {
            if (count > 0) machine.pullOut(`sd${count - 1}x`);
            machine.plugIn(slow(`sd${count}x`, data, Number.POSITIVE_INFINITY));
            count += 1;
          }
          return nextDeviceEvent(timeoutMs === null ? null : Math.min(timeoutMs, 500));
        },
      });
    };
    const disks = [disk("vda", theirs), slow("vdb", data, Number.POSITIVE_INFINITY)];
    const result = boot({ disks, cmdline: `rd.auto root=UUID=${INNER} rd.timeout=8`, before });
    expect(rootOf(result)).toBe("/dev/vda");
    expect(result.endMs).toBeLessThan(13_000);
  });
});

describe("a stranger's LUKS header with the UUID of the volume", () => {
  test("does not keep the right one from being opened, by a passphrase or by a key", async () => {
    const made = await provideLuksImage(FOREIGN);
    const foreign = { type: "crypto_LUKS", bytes: new Uint8Array(readFileSync(made.path)), root: theirs.root };
    const disks = [disk("vda", foreign), disk("vdb", vault)];
    const images = [root, theirs, vault, foreign];
    const typedIn = boot({ disks, images, cmdline: `rd.luks.uuid=${UUID} root=UUID=${INNER}` });
    expect(said(typedIn)).toContain("2 devices match UUID=");
    expect(said(typedIn)).toContain("in /dev/vdb crypto_LUKS");
    const byKey = boot({ disks, images, cmdline: `${UNATTENDED} root=UUID=${INNER}`, files: KEY, typing: [] });
    expect(said(byKey)).toContain("in /dev/vdb crypto_LUKS");
  });
});

describe("keys", () => {
  test("a stranger's stick with the label of the key stick does not hide the right one", () => {
    const wrong = fakeImage("vfat", { label: "KEYS" }, { "/root.key": "wrong" });
    const right = fakeImage("vfat", { label: "KEYS" }, { "/root.key": "pass" });
    const cmdline = `rd.luks.uuid=${UUID} rd.luks.key=/root.key:LABEL=KEYS root=UUID=${INNER}`;
    const disks = [disk("sda", wrong), disk("sdb", right), disk("vda", vault)];
    const result = boot({ disks, cmdline, typing: [], images: [root, wrong, right, vault] });
    expect(rootOf(result)).toBe(`/dev/mapper/luks-${UUID}`);
    expect(said(result)).toContain("the key /root.key on LABEL=KEYS does not open");
  });
});

describe("layers and images", () => {
  const layer = fakeImage("ext4", { label: "LAYER" }, { "/sbin/init": "theirs" });
  const images = () => [root, theirs, layer, vault];

  test("a layer outside the volume that holds the root is refused", () => {
    const disks = [disk("vda", vault), disk("vdb", layer)];
    const named = boot({
      disks,
      images: images(),
      cmdline: `rd.luks.uuid=${UUID} root=UUID=${INNER} rd.layer=LABEL=LAYER rd.timeout=2`,
    });
    expect(said(named)).toContain('LABEL=LAYER is /dev/vdb ext4 "LAYER", not used');
    const unnamed = boot({ disks, images: images(), cmdline: `root=UUID=${UUID} rd.layer=LABEL=LAYER rd.timeout=2` });
    expect(said(unnamed)).toContain("cannot be closed");
    for (const result of [named, unnamed]) expect(result.end).toBe("poweroff");
  });

  test("a stranger's medium is not even mounted if the medium is searched for by its files", () => {
    const { disk: flash, squashfs } = stick();
    const live = fakeImage("vfat", { label: "LIVE" }, { "/live/filesystem.squashfs": squashfs.bytes });
    const cmdline = `rd.luks.uuid=${UUID} boot=live rd.timeout=2`;
    const result = boot({
      disks: [disk("vda", vault), disk("sda", live)],
      images: [...images(), live, flash, squashfs],
      cmdline,
    });
    expect(result.journal.filter((line) => line.includes("/dev/sda"))).toEqual([]);
    expect(result.end).toBe("poweroff");
  });

  test("a stranger's medium with the image is refused, encrypted or not", () => {
    const { disk: flash, squashfs } = stick();
    const cmdline = `rd.luks.uuid=${UUID} root=LABEL=FLASH rd.image=/newroot.sfs rd.overlay rd.timeout=2`;
    const there = boot({ disks: [disk("vda", vault), disk("sda", flash)], images: [...images(), squashfs], cmdline });
    expect(said(there)).toContain('LABEL=FLASH is /dev/sda vfat "FLASH", not used');
    const gone = boot({ disks: [disk("sda", flash)], images: [...images(), squashfs], cmdline });
    expect(said(gone)).toContain("the image /newroot.sfs lies outside the encrypted volumes that parameters name");
    for (const result of [there, gone]) expect(result.end).toBe("poweroff");
  });
});

test("a volume that was opened by hand in the shell is closed before a root outside it is used", async () => {
  const other = rootImage("OTHER");
  const { volumeKey } = await provideLuksImage(VAULT);
  const person = (machine: FakeMachine) => {
    for (const path of ["drivers/md/dm-mod", "drivers/md/dm-crypt", "crypto/xts", "crypto/ecb"]) {
      machine.startModule(`/lib/modules/6.1.0-fake/kernel/${path}.ko`, "");
    }
    const payload = Uint8Array.from(volumeKey ?? []);
    const key = machine.addLogonKey("by:hand", payload);
    const table = `aes-xts-plain64 :${payload.length}:logon:by:hand 0 8:0 4096 1 sector_size:4096`;
    const target = { startSector: 0, sectors: root.bytes.length / 512, type: "crypt", parameters: Buffer.from(table) };
    const uuid = `CRYPT-LUKS2-${UUID.replaceAll("-", "")}-mine`;
    machine.createMapping({ name: "mine", uuid, readOnly: false, targets: [target] });
    machine.removeKey(key);
    machine.plugIn(disk("vdb", other));
  };
  const result = boot({
    disks: [disk("vda", vault)],
    cmdline: "root=LABEL=OTHER rd.timeout=2",
    person: [person],
    images: [root, other, vault],
  });
  expect(rootOf(result)).toBe("/dev/vdb");
  expect(mapped(result)).toEqual([]);
});

describe("a stranger's filesystem is not mounted in search of a key file", () => {
  const searched = ({ journal }: Booted) => journal.filter((line) => /^mount .*\/run\/levain\/search/.test(line));
  const NAMED_KEY = `rd.luks.uuid=${UUID} rd.luks.key=/root.key root=LABEL=ROOT rd.timeout=3`;

  test("while the volume is absent", () => {
    const result = boot({ disks: [disk("vda", theirs)], cmdline: NAMED_KEY });
    expect(said(result)).toContain("could not find the root device");
    expect(searched(result)).toEqual([]);
  });

  test("while its header is absent", () => {
    const cmdline = `${NAMED_KEY} rd.luks.header=/header:LABEL=NONE`;
    const result = boot({ disks: [disk("vda", theirs), disk("vdb", vault)], cmdline });
    expect(searched(result)).toEqual([]);
  });

  test("but it is once a key can open the volume", () => {
    const result = boot({ disks: [disk("vda", theirs), disk("vdb", vault)], cmdline: NAMED_KEY });
    expect(searched(result)).not.toEqual([]);
  });
});
