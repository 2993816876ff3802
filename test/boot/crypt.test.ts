import { beforeAll, describe, expect, spyOn, test } from "bun:test";
import * as rehearsal from "../../src/keys/rehearsal.ts";
import { type FakeBootOptions, rootImage } from "../support/fake-boot.ts";
import { type FakeImage, fakeImage } from "../support/fake-images.ts";
import { partitionDisk } from "../support/fake-partitions.ts";
import { CHEAP, CHEAP_ARGON2 } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, detachedHeader, luksDisk, typed } from "../support/luks/encrypted-disk.ts";

// Whole boots from LUKS volumes with headers made by the real cryptsetup.

const UUID = "6c657661-696e-4000-8000-00000000aaaa";
const OTHER = "6c657661-696e-4000-8000-00000000bbbb";
const format = (words: string) => `cryptsetup luksFormat -q ${words} ${CHEAP} $1 key`;
const SMALL = "--type luks2 --luks2-keyslots-size 1m --offset 4096 --pbkdf pbkdf2";

const root = rootImage("ROOT");
let luks2: FakeImage;
let luks1: FakeImage;
let data: FakeImage;
let nested: FakeImage;
beforeAll(async () => {
  luks2 = await luksDisk({ name: "boot-luks2", script: format(`${SMALL} --label crypt --uuid ${UUID}`) }, root);
  luks1 = await luksDisk({ name: "boot-luks1", script: format(`--type luks1 --uuid ${UUID}`) }, root);
  const inner = fakeImage("ext4", { label: "DATA" });
  data = await luksDisk({ name: "boot-data", script: format(`${SMALL} --uuid ${OTHER}`) }, inner);
  nested = await luksDisk({ name: "boot-nested", script: format(`${SMALL} --uuid ${OTHER}`) }, luks2);
});

const EFI = fakeImage("vfat", { label: "EFI" });
const NAMED = `rd.luks.name=${UUID}=cryptroot`;

/** The LUKS2 volume is /dev/vda2. */
function boot(more: FakeBootOptions & { readonly without?: readonly string[] } = {}) {
  return cryptBoot({
    cmdline: `${NAMED} root=LABEL=ROOT`,
    disks: [{ name: "vda", partitions: [{ image: EFI }, { image: luks2 }] }],
    images: [root],
    typing: typed("pass"),
    ...more,
  });
}

type Booted = ReturnType<typeof boot>;
const screen = ({ machine }: Booted) => machine.terminals.screen("/dev/ttyS0");
const prompts = (result: Booted) => screen(result).split("  unlock    ").length - 1;

describe("a passphrase", () => {
  test("opens the volume that a parameter names, and the step says where the root lies", () => {
    const result = boot();
    expect(result.end).toMatchObject({ mode: "switch_root", root: "/sysroot" });
    expect(result.mounts).toContain("/sysroot ext4 /dev/mapper/cryptroot");
    expect(result.console).toContain('  root      /dev/mapper/cryptroot ext4 "ROOT" in /dev/vda2 crypto_LUKS');
    expect(result.console).toContain("unlocking /dev/vda2: pbkdf2, 1000 iterations of sha256");
    expect(screen(result)).toContain('  unlock    /dev/vda2 (LUKS2, "crypt") as cryptroot, 5 tries left');
    expect(result.journal).toContain(`map cryptroot as CRYPT-LUKS2-${UUID.replaceAll("-", "")}-cryptroot: crypt`);
    expect(result.shells).toBe(0);
  });

  test("is rehearsed behind the first prompt only", () => {
    const rehearse = spyOn(rehearsal, "rehearseUnlock");
    for (let count = 0; count < 2; count++) expect(boot().end).toMatchObject({ mode: "switch_root" });
    expect(rehearse.mock.calls.length).toBeLessThan(2);
    rehearse.mockRestore();
  });

  test("leaves no key in the kernel, and lets udev know that the device is in use", () => {
    const look = (machine: Booted["machine"]) => {
      expect(machine.keysInKernel()).toEqual([]);
      const entry = machine.readFile("/run/udev/data/b253:0");
      expect(Buffer.from(entry).toString()).toBe(
        "E:DM_UDEV_PRIMARY_SOURCE_FLAG=1\nE:DM_UDEV_DISABLE_LIBRARY_FALLBACK_FLAG=1\n",
      );
    };
    const result = boot({ cmdline: `${NAMED} root=LABEL=ROOT rd.break=init rdshell=keep`, person: [look] });
    expect(result.journal).toContain(`add key cryptsetup:${UUID}-d0`);
    expect(result.shells).toBe(1);
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });

  test.each([
    [`root=UUID=${UUID}`, `luks-${UUID}`],
    ["root=/dev/vda2", `luks-${UUID}`],
    ["rd.auto root=LABEL=ROOT", `luks-${UUID}`],
    [`rd.luks.uuid=${UUID} root=/dev/mapper/luks-${UUID}`, `luks-${UUID}`],
    ["rd.luks.uuid=6c657661 root=LABEL=ROOT", `luks-${UUID}`],
    ["cryptdevice=/dev/vda2:box root=/dev/mapper/box", "box"],
    [`cryptdevice=UUID=${UUID}:box root=/dev/vda2`, "box"],
  ])("opens what %s asks for", (cmdline, name) => {
    const result = boot({ cmdline });
    expect(result.console).toContain(`  root      /dev/mapper/${name} ext4 "ROOT" in /dev/vda2 crypto_LUKS`);
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });

  test("opens LUKS1", () => {
    const result = boot({ disks: [{ name: "vda", image: luks1 }], cmdline: `rd.luks.uuid=${UUID} root=LABEL=ROOT` });
    expect(result.console).toContain(`/dev/mapper/luks-${UUID} ext4 "ROOT" in /dev/vda crypto_LUKS`);
    expect(result.journal).toContain(`map luks-${UUID} as CRYPT-LUKS1-${UUID.replaceAll("-", "")}-luks-${UUID}: crypt`);
  });

  test("that is wrong is asked for again", () => {
    const result = boot({ typing: typed("no", "never", "pass") });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(screen(result)).toContain("wrong passphrase");
    expect(screen(result)).toContain("as cryptroot, 3 tries left");
    expect(prompts(result)).toBe(3);
  });

  test("that is wrong five times ends in the shell, and `exit` asks again", () => {
    const result = boot({ typing: typed("1", "2", "3", "4", "5", "pass"), person: [() => undefined] });
    expect(result.shells).toBe(1);
    expect(result.console).toContain(
      'could not unlock /dev/vda2 (LUKS2, "crypt") as cryptroot\n  5 passphrases were wrong\n' +
        "hint: `exit` asks again; `levain unlock` asks in this shell, check Caps Lock,\n" +
        "      and type as on a US keyboard unless the prompt names a keymap, or add\n" +
        "      your keymap: levain image --keymap NAME\n",
    );
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.journal.filter((line) => line.startsWith("map "))).toHaveLength(1);
  });

  test("that is wrong as often as allowed starts no shell if rdshell=0 forbids it", () => {
    const cmdline = `${NAMED} rd.luks.options=tries=2 root=LABEL=ROOT rdshell=0`;
    const result = boot({ cmdline, typing: typed("1", "2", "3") });
    expect(result.end).toBe("halt");
    expect(result.shells).toBe(0);
    expect(prompts(result)).toBe(2);
    expect(result.console).toContain("2 passphrases were wrong\nhint: check Caps Lock");
  });

  test("that is not typed: Ctrl-C ends in the shell", () => {
    const result = boot({ typing: [{ terminal: "/dev/ttyS0", text: "pas\x03" }] });
    expect(result.shells).toBe(1);
    expect(result.console).toContain("the prompt was cancelled by Ctrl-C");
    expect(result.journal.some((line) => line.startsWith("map "))).toBe(false);
  });

  test("that is not typed in time ends in the shell", () => {
    const result = boot({ cmdline: `${NAMED} rd.luks.timeout=60 root=LABEL=ROOT`, typing: [] });
    expect(result.shells).toBe(1);
    expect(result.console).toContain("no passphrase was typed within 60 s");
  });

  test("stops the clock of rd.timeout during the prompt", () => {
    const other = boot({
      cmdline: `rd.luks.uuid=${UUID} rd.luks.options=nofail root=LABEL=OTHER rd.timeout=5`,
      disks: [
        { name: "vda", image: luks2 },
        { name: "vdb", image: rootImage("OTHER"), arrivesAtMs: 304_000 },
      ],
      typing: [{ terminal: "/dev/ttyS0", text: "pass\r", atMs: 300_000 }],
    });
    expect(other.console).toContain('  root      /dev/vdb ext4 "OTHER"');
    expect(other.shells).toBe(0);
    const late = [{ terminal: "/dev/ttyS0", text: "pass\r", atMs: 300_000 }];
    const result = boot({ cmdline: `${NAMED} root=LABEL=ROOT rd.timeout=5`, typing: late });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.shells).toBe(0);
  });
});

describe("several volumes", () => {
  const both = `rd.luks.uuid=${OTHER} rd.luks.uuid=${UUID} root=LABEL=ROOT`;
  const disks = () => [
    { name: "vda", image: data },
    { name: "vdb", image: luks2 },
  ];

  test("one passphrase opens both", () => {
    const result = boot({ cmdline: both, disks: disks() });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(prompts(result)).toBe(1);
    expect(result.journal.filter((line) => line.startsWith("map "))).toHaveLength(2);
  });

  test("one that does not appear is reported, and does not hold up the root", () => {
    const result = boot({ cmdline: both });
    expect(result.console).toContain("did not appear, continuing without it");
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.endMs).toBeLessThan(5000);
  });

  test("one that is damaged is reported if the root is in another", () => {
    const broken = { ...data, bytes: data.bytes.slice() };
    broken.bytes.fill(0xff, 8, 12);
    broken.bytes.fill(0xff, 0x4000, 0x5000);
    const result = boot({
      cmdline: `cryptdevice=/dev/vda:data ${NAMED} root=LABEL=ROOT`,
      disks: [{ name: "vda", image: broken }, ...disks().slice(1)],
    });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).toMatch(/warning {3}could not unlock \/dev\/vda: .*, continuing without it/);
  });

  test("an optional one gets no prompt if the root is present", () => {
    const files = { "/etc/crypttab": `data UUID=${OTHER} none luks,nofail\n` };
    const options = { cmdline: "root=LABEL=PLAIN", files, typing: [] };
    const there = boot({ ...options, disks: [...disks(), { name: "vdc", image: rootImage("PLAIN") }] });
    expect(there.end).toMatchObject({ mode: "switch_root" });
    expect(prompts(there)).toBe(0);
  });

  test("one that no parameter names and that is damaged does not end the wait for the root", () => {
    const broken = { ...data, bytes: data.bytes.slice() };
    broken.bytes.fill(0xff, 8, 12);
    broken.bytes.fill(0xff, 0x4000, 0x5000);
    const late = { name: "vdb", image: rootImage("PLAIN"), arrivesAtMs: 9000 };
    const result = boot({ cmdline: "rd.auto root=LABEL=PLAIN", disks: [{ name: "vda", image: broken }, late] });
    expect(result.console).toContain('  root      /dev/vdb ext4 "PLAIN"');
    expect(result.shells).toBe(0);
  });

  test("one that no parameter names, but that was prompted for, ends the boot when the tries are over", () => {
    const result = boot({ cmdline: "rd.auto root=LABEL=PLAIN", typing: typed("1", "2", "3", "4", "5") });
    expect(result.console).toContain("5 passphrases were wrong");
    expect(result.endMs).toBeLessThan(10_000);
  });

  test("a device for a volume that is missing does not end the prompt for another", () => {
    const files = { "/h": "x" };
    const result = boot({
      cmdline: `${NAMED} rd.luks.data=${OTHER}=/dev/none rd.luks.uuid=${OTHER} rd.luks.header=${OTHER}=/h:LABEL=KEYS root=LABEL=ROOT`,
      disks: [
        { name: "vda", image: luks2 },
        { name: "sdb", image: fakeImage("vfat", { label: "KEYS" }, files), arrivesAtMs: 20_000 },
      ],
      typing: [{ terminal: "/dev/ttyS0", text: "pass\r", atMs: 40_000 }],
    });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(prompts(result)).toBe(1);
  });

  test("LUKS in LUKS", () => {
    const result = boot({
      cmdline: "rd.auto root=LABEL=ROOT",
      disks: [{ name: "vda", image: nested }],
      images: [root, luks2],
    });
    expect(result.console).toContain(
      `/dev/mapper/luks-${UUID} ext4 "ROOT" in /dev/mapper/luks-${OTHER} crypto_LUKS in /dev/vda crypto_LUKS`,
    );
    expect(prompts(result)).toBe(1);
    const asRoot = boot({ cmdline: "root=/dev/vda", disks: [{ name: "vda", image: nested }], images: [root, luks2] });
    expect(asRoot.end).toMatchObject({ mode: "switch_root" });
  });

  test.each([512, 4096])(
    "a partition table in LUKS with sectors of %d bytes, which the kernel does not look for",
    async (sectorBytes) => {
      const kernels = fakeImage("ext4", { label: "BOOT" });
      const table = partitionDisk([{ image: kernels }, { image: root, name: "system" }], sectorBytes);
      const inside = { type: "gpt", bytes: table.bytes, root: root.root };
      const script = format(`${SMALL} --sector-size ${sectorBytes} --uuid ${OTHER}`);
      const disk = await luksDisk({ name: `boot-table-${sectorBytes}`, script }, inside);
      for (const wanted of ["LABEL=ROOT", "PARTLABEL=system", "/dev/mapper/box2"]) {
        const result = boot({
          cmdline: `rd.luks.name=${OTHER}=box root=${wanted}`,
          disks: [{ name: "vda", image: disk }],
        });
        expect(result.console).toContain('  root      /dev/mapper/box2 ext4 "ROOT" in /dev/vda crypto_LUKS');
        expect(result.end).toMatchObject({ mode: "switch_root" });
      }
      const layered = boot({
        cmdline: `rd.luks.name=${OTHER}=box root=LABEL=ROOT rd.layer=LABEL=BOOT rd.overlay`,
        disks: [{ name: "vda", image: disk }],
        images: [root, kernels],
      });
      expect(layered.console).not.toContain("cannot be opened");
      expect(layered.end).toMatchObject({ mode: "switch_root" });
    },
  );
});

describe("a key", () => {
  const stick = (arrivesAtMs?: number) => ({
    name: "sdb",
    image: fakeImage("vfat", { label: "KEYS" }, { "/root.key": "pass" }),
    ...(arrivesAtMs === undefined ? {} : { arrivesAtMs }),
  });
  const disks = (...more: NonNullable<FakeBootOptions["disks"]>) => [{ name: "vda", image: luks2 }, ...more];
  const keyed = `${NAMED} rd.luks.key=/root.key:LABEL=KEYS root=LABEL=ROOT`;

  test("in the image opens it without a prompt", () => {
    const cmdline = `${NAMED} rd.luks.key=/root.key root=LABEL=ROOT`;
    const result = boot({ cmdline, files: { "/root.key": "pass" }, typing: [] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(prompts(result)).toBe(0);
  });

  test("on another device's filesystem, which is mounted for a moment", () => {
    const result = boot({ cmdline: keyed, disks: disks(stick()), typing: [] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    const at = result.journal.indexOf("mount vfat /dev/sdb at /run/levain/search (ro,nosuid,nodev,noexec)");
    expect(result.journal.slice(at, at + 2)).toEqual([
      "mount vfat /dev/sdb at /run/levain/search (ro,nosuid,nodev,noexec)",
      "unmount /run/levain/search",
    ]);
  });

  test("on a stick that arrives late is waited for, and the wait is reported", () => {
    const result = boot({ cmdline: `${keyed} rd.timeout=3`, disks: disks(stick(9000)), typing: [] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(result.console).toContain("waiting for the key /root.key on LABEL=KEYS for /dev/vda, 1 of 10 s");
    expect(prompts(result)).toBe(0);
  });

  test("that does not appear is followed by a prompt; if it appears during the prompt, it is used", () => {
    const asked = boot({ cmdline: keyed, disks: disks() });
    expect(asked.end).toMatchObject({ mode: "switch_root" });
    expect(prompts(asked)).toBe(1);
    const came = boot({ cmdline: keyed, disks: disks(stick(60_000)), typing: [] });
    expect(came.end).toMatchObject({ mode: "switch_root" });
    expect(screen(came)).toContain("no longer needed");
  });

  test("that is wrong is reported, and the prompt follows", () => {
    const wrong = { name: "sdb", image: fakeImage("vfat", { label: "KEYS" }, { "/root.key": "wrong" }) };
    const result = boot({ cmdline: keyed, disks: disks(wrong) });
    const told = 'the key /root.key on LABEL=KEYS does not open /dev/vda (LUKS2, "crypt") as cryptroot';
    expect(result.console.split(told)).toHaveLength(2);
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });

  test("that ends with a newline and is wrong: the newline counts, and the report says so", () => {
    const file = (key: string) => ({ name: "sdb", image: fakeImage("vfat", { label: "KEYS" }, { "/root.key": key }) });
    const said = (key: string) => boot({ cmdline: keyed, disks: disks(file(key)) }).console;
    const told = "as cryptroot: it ends with a newline, which counts as part of the key";
    for (const key of ["pass\n", "wrong\r\n"]) expect(said(key)).toContain(told);
    for (const key of ["wrong", "pass"]) expect(said(key)).not.toContain("newline");
  });

  test("that is not on its stick is reported, and the prompt follows", () => {
    const empty = { name: "sdb", image: fakeImage("vfat", { label: "KEYS" }, { "/other": "pass" }) };
    const result = boot({ cmdline: keyed, disks: disks(empty) });
    expect(result.console).toContain("there is no file /root.key on /dev/sdb");
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });

  test("is read without a write to the journal of its filesystem, and not if it cannot be a key", () => {
    const keys = fakeImage("ext4", { label: "KEYS" }, { "/root.key": new Uint8Array((8 << 20) + 1) });
    const result = boot({ cmdline: keyed, disks: disks({ name: "sdb", image: keys }) });
    expect(result.journal).toContain("mount ext4 /dev/sdb at /run/levain/search (ro,nosuid,nodev,noexec)");
    expect(result.console).toContain("/root.key on LABEL=KEYS is larger than any key: more than 8 MiB");
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });

  test("in a device's own bytes", () => {
    const content = new Uint8Array(1 << 16);
    content.set(Buffer.from("pass"), 512);
    const options = "rd.luks.options=keyfile-offset=512,keyfile-size=4";
    const cmdline = `${NAMED} rd.luks.key=/dev/sdb ${options} root=LABEL=ROOT`;
    const result = boot({ cmdline, disks: disks({ name: "sdb", content }), typing: [] });
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });

  test("in another volume of the crypttab, named by /dev/mapper: one prompt for both", async () => {
    const keys = fakeImage("ext4", { label: "KEYS" }, { "/master.key": "pass" });
    const disk = await luksDisk(
      { name: "boot-keychain", script: `printf other > key; ${format(`${SMALL} --uuid ${OTHER}`)}` },
      keys,
    );
    const table = `keychain UUID=${OTHER} none luks\ncryptroot UUID=${UUID} /master.key:/dev/mapper/keychain luks\n`;
    for (const crypttab of [table, `${table.split("\n").reverse().join("\n")}\n`]) {
      const result = boot({
        cmdline: "root=/dev/mapper/cryptroot",
        files: { "/etc/crypttab": crypttab },
        disks: disks({ name: "sdb", image: disk }),
        images: [root, keys],
        typing: typed("other"),
      });
      expect(result.end).toMatchObject({ mode: "switch_root" });
      expect(prompts(result)).toBe(1);
    }
  });

  test("on a stick that does not come, for two volumes of the crypttab: one prompt after 10 s opens both", () => {
    const line = (name: string, uuid: string) => `${name} UUID=${uuid} /.key:UUID=1234-ABCD x-initrd.attach\n`;
    const result = boot({
      cmdline: "quiet root=/dev/mapper/cryptroot rd.timeout=20",
      files: { "/etc/crypttab": `${line("cryptroot", UUID)}${line("home", OTHER)}` },
      disks: disks({ name: "vdb", image: data }),
    });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(prompts(result)).toBe(1);
    expect(result.endMs).toBeGreaterThan(10_000);
    expect(result.endMs).toBeLessThan(15_000);
    for (const name of ["cryptroot", "home"])
      expect(result.journal.join("\n")).toContain(`map ${name} as CRYPT-LUKS2-`);
  });

  test("on a stick that is encrypted itself", async () => {
    const keys = fakeImage("ext4", { label: "KEYS" }, { "/root.key": "pass" });
    const disk = await luksDisk(
      { name: "boot-keys", script: `printf other > key; ${format(`${SMALL} --uuid ${OTHER}`)}` },
      keys,
    );
    const cmdline = `rd.luks.uuid=${OTHER} ${NAMED} rd.luks.key=${UUID}=/root.key:LABEL=KEYS root=LABEL=ROOT`;
    const result = boot({
      cmdline,
      disks: disks({ name: "sdb", image: disk }),
      images: [root, keys],
      typing: typed("other"),
    });
    expect(result.end).toMatchObject({ mode: "switch_root" });
    expect(prompts(result)).toBe(1);
  });
});

describe("a detached header", () => {
  const cmdline = `rd.luks.data=${UUID}=/dev/vda rd.luks.name=${UUID}=cryptroot root=LABEL=ROOT`;

  test("on another device, which may come late", async () => {
    const script = `truncate -s 2M header; cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --uuid ${UUID} --pbkdf pbkdf2 ${CHEAP} --header header $1 key`;
    const recipe = { name: "boot-detached", script, header: "header" };
    const disk = await luksDisk(recipe, root);
    const header = await detachedHeader(recipe);
    const stick = { name: "sdb", image: fakeImage("vfat", { label: "KEYS" }, { "/h.img": header }), arrivesAtMs: 7000 };
    const result = boot({
      cmdline: `${cmdline} rd.luks.header=/h.img:LABEL=KEYS`,
      disks: [{ name: "vda", image: disk }, stick],
    });
    expect(result.console).toContain("waiting for the header /h.img on LABEL=KEYS for /dev/vda, 1 of 10 s");
    expect(result.end).toMatchObject({ mode: "switch_root" });
    const raw = boot({
      cmdline: `${cmdline} rd.luks.header=/dev/sdb`,
      disks: [
        { name: "vda", image: disk },
        { name: "sdb", content: new Uint8Array(header) },
      ],
    });
    expect(raw.end).toMatchObject({ mode: "switch_root" });
    const without = boot({
      cmdline: `${cmdline} rd.luks.header=/h.img:LABEL=KEYS`,
      disks: [{ name: "vda", image: disk }],
    });
    expect(without.console).toContain("the header /h.img on LABEL=KEYS");
    expect(without.shells).toBe(1);
  });
});

describe("what is missing is named before the user is asked", () => {
  test("dm-crypt", () => {
    const result = boot({ without: ["dm_crypt"] });
    expect(result.console).toContain(
      'could not unlock /dev/vda2 (LUKS2, "crypt") as cryptroot\n  this kernel has no dm-crypt\n' +
        "hint: add its module to the image: levain image --module dm-crypt, or boot a\n      kernel built with CONFIG_DM_CRYPT\n",
    );
    expect(prompts(result)).toBe(0);
    expect(result.endMs).toBeLessThan(10_000);
  });

  test("the cipher, which the kernel reports only then", () => {
    const result = boot({ without: ["xts"] });
    expect(result.console).toContain("the kernel refused to create /dev/mapper/cryptroot");
    expect(result.console).toContain("it does not have the cipher (ENOENT)");
  });

  test("memory for the key derivation", async () => {
    const script = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --uuid ${UUID} --pbkdf argon2id --pbkdf-force-iterations 4 --pbkdf-memory 65536 $1 key`;
    const big = await luksDisk({ name: "boot-argon2", script }, root);
    const result = boot({ disks: [{ name: "vda", image: big }], memoryBytes: 32 << 20 });
    expect(result.console).toContain("keyslot 0 needs 64 MiB to unlock, and 32 MiB of 32 MiB are free");
    expect(result.console.replaceAll(/\n +/g, " ")).toContain("cryptsetup luksConvertKey --pbkdf-memory KIB DEVICE");
    expect(prompts(result)).toBe(0);
  });

  test("a volume that no parameter asks for", () => {
    const result = boot({ cmdline: "root=LABEL=ROOT rd.timeout=2" });
    expect(result.console).toContain('/dev/vda2 crypto_LUKS "crypt" (encrypted: nothing asks to unlock it)');
  });

  test("a volume that was asked for and did not appear", () => {
    const result = boot({ cmdline: `rd.luks.uuid=${OTHER} root=LABEL=ROOT rd.timeout=2` });
    expect(result.console).toMatch(/encrypted device UUID=\S+ did not\s+appear/);
  });

  test("without a shell, no hint needs one", () => {
    const result = boot({ cmdline: "root=LABEL=ROOT rd.timeout=2 rdshell=0 rd.emergency=poweroff" });
    expect(result.console).toContain("hint: add rd.auto or correct root= in the boot loader\n");
    expect(result.console).not.toContain("levain retry");
  });

  test("rd.luks=0", () => {
    const result = boot({ cmdline: "root=/dev/vda2 rd.luks=0" });
    expect(result.console).toContain("the root /dev/vda2 is encrypted, but rd.luks=0 forbids unlocking");
  });
});

describe("after a failure", () => {
  test("nothing is left: no mapping, no key, no mount, no entry for udev", () => {
    const look = (machine: Booted["machine"]) => {
      expect(machine.listMappings()).toEqual([]);
      expect(machine.keysInKernel()).toEqual([]);
      expect(machine.listDirectory("/run/udev/data")).toEqual([]);
    };
    const result = boot({ cmdline: `${NAMED} root=LABEL=NONE rd.timeout=2`, person: [look] });
    expect(result.shells).toBe(2);
    expect(result.console).toContain("could not find the root device");
  });

  test("a volume that was opened by hand is used", () => {
    const machineOpens = (machine: Booted["machine"]) => {
      const uuid = `CRYPT-LUKS2-${UUID.replaceAll("-", "")}-mine`;
      const key = machine.addLogonKey("by:hand", volumeKey);
      const parameters = Buffer.from(
        `aes-xts-plain64 :${volumeKey.length}:logon:by:hand 0 8:2 4096 1 sector_size:4096`,
      );
      const targets = [{ startSector: 0, sectors: root.bytes.length / 512, type: "crypt", parameters }];
      machine.createMapping({ name: "mine", uuid, readOnly: false, targets });
      machine.removeKey(key);
    };
    let volumeKey = new Uint8Array();
    const keyOf = async () => {
      const { provideLuksImage } = await import("../support/luks/cryptsetup-image.ts");
      const made = await provideLuksImage({
        name: "boot-luks2",
        script: format(`${SMALL} --label crypt --uuid ${UUID}`),
      });
      volumeKey = new Uint8Array(made.volumeKey ?? []);
    };
    return keyOf().then(() => {
      const cancelled = [{ terminal: "/dev/ttyS0", text: "\x03" }];
      const open = (machine: Booted["machine"]) => {
        for (const name of ["dm-mod", "dm-crypt"]) {
          const path = `/lib/modules/6.1.0-fake/kernel/drivers/md/${name}.ko`;
          try {
            machine.startModule(path, "");
          } catch {
            // It was loaded by the boot.
          }
        }
        for (const name of ["xts", "ecb"]) machine.startModule(`/lib/modules/6.1.0-fake/kernel/crypto/${name}.ko`, "");
        machineOpens(machine);
      };
      const result = boot({ typing: cancelled, person: [open] });
      expect(result.console).toContain('/dev/mapper/mine ext4 "ROOT" in /dev/vda2 crypto_LUKS');
      expect(result.end).toMatchObject({ mode: "switch_root" });
      expect(prompts(result)).toBe(1);
    });
  });
});

describe("what dm-crypt gets", () => {
  /** Keeps every table of a boot, and every array that held a secret. */
  function watched(more: FakeBootOptions = {}, change: (machine: Booted["machine"]) => void = () => undefined) {
    const tables: { readonly text: string; readonly readOnly: boolean }[] = [];
    const secrets: Uint8Array[] = [];
    const before = (machine: Booted["machine"]) => {
      change(machine);
      const { createMapping, addLogonKey, readTerminals } = machine;
      Object.assign(machine, {
        createMapping(request: Parameters<typeof createMapping>[0]) {
          for (const { parameters } of request.targets) {
            secrets.push(parameters);
            tables.push({ text: Buffer.from(parameters).toString(), readOnly: request.readOnly });
          }
          return createMapping(request);
        },
        addLogonKey(description: string, payload: Uint8Array) {
          secrets.push(payload);
          return addLogonKey(description, payload);
        },
        readTerminals(timeoutMs: number | null) {
          const input = readTerminals(timeoutMs);
          if (input.kind === "typed") secrets.push(input.bytes);
          return input;
        },
      });
    };
    return { ...boot({ ...more, before }), tables, secrets };
  }

  test("a key of the kernel's keyring, the device by its number; and no secret is left in memory", () => {
    const { tables, secrets, end } = watched();
    expect(tables).toEqual([
      {
        text: `aes-xts-plain64 :64:logon:cryptsetup:${UUID}-d0 0 8:2 4096 1 sector_size:4096`,
        readOnly: false,
      },
    ]);
    expect(end).toMatchObject({ mode: "switch_root" });
    expect(secrets.length).toBeGreaterThanOrEqual(3);
    for (const secret of secrets) expect(secret.every((byte) => byte === 0)).toBe(true);
  });

  test("nor is a passphrase or a key file left in the memory of its derivation", async () => {
    const script = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --uuid ${UUID} ${CHEAP_ARGON2} --pbkdf argon2id $1 key`;
    const image = await luksDisk({ name: "boot-argon2-cheap", script }, root);
    for (const more of [
      {},
      { cmdline: `${NAMED} rd.luks.key=/root.key root=LABEL=ROOT`, files: { "/root.key": "pass" } },
    ]) {
      const given: Uint8Array[] = [];
      const { end } = watched({ ...more, disks: [{ name: "vda", image }] }, (machine) => {
        const { deriveArgon2 } = machine;
        Object.assign(machine, {
          deriveArgon2(...words: Parameters<typeof deriveArgon2>) {
            given.push(words[1]);
            return deriveArgon2(...words);
          },
        });
      });
      expect(end).toMatchObject({ mode: "switch_root" });
      expect(given.map((passphrase) => Buffer.from(passphrase).toString())).toEqual(["\0\0\0\0"]);
    }
  });

  test("the key itself if the kernel keeps none, and that is wiped too", () => {
    const { tables, secrets, end } = watched({}, (machine) => machine.refuse("addLogonKey", /./, "ENOSYS"));
    expect(tables[0]?.text).toMatch(/^aes-xts-plain64 [0-9a-f]{128} 0 8:2 4096 1 sector_size:4096$/);
    expect(end).toMatchObject({ mode: "switch_root" });
    for (const secret of secrets) expect(secret.every((byte) => byte === 0)).toBe(true);
  });

  test("the options that were asked for, except those that it is too old for", () => {
    const cmdline = `${NAMED} rd.luks.options=discard,no-read-workqueue,readonly root=LABEL=ROOT`;
    const now = watched({ cmdline });
    expect(now.tables[0]?.text).toContain("4096 3 sector_size:4096 allow_discards no_read_workqueue");
    expect(now.tables[0]?.readOnly).toBe(true);
    const old = watched({ cmdline }, (machine) => {
      Object.assign(machine, { mappingTargetVersion: () => [1, 19, 0] });
    });
    expect(old.tables[0]?.text).toContain("4096 2 sector_size:4096 allow_discards");
    expect(old.console).toContain("this kernel's dm-crypt is too old for no_read_workqueue, ignoring");
  });
});
