import { describe, expect, test } from "bun:test";
import type { BytesPlace, PlainFormat } from "../../../../src/parameters/crypt/place.ts";
import type { DeviceSpec } from "../../../../src/parameters/device-spec.ts";
import { DEFAULT_SETTINGS } from "../../../../src/plan/crypt/crypt.ts";
import { makePlan } from "../../../../src/plan/make-plan.ts";
import type { CryptPlan, CryptVolume } from "../../../../src/plan/plan.ts";
import { BootError } from "../../../../src/problems/errors.ts";

/* Parameters from the documentation of other projects, and what they mean to levain. */

const A = "b40f1abf-2a53-400a-889a-2eccc27eaa40";
const B = "c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c";
const IMAGE = ["/crypto_keyfile.bin", "/etc/keys/root.key", "/etc/cryptsetup-keys.d/data.key"];

const make = (cmdline: string, crypttab: string | null = null, files: readonly string[] = []) =>
  makePlan({ cmdline, manifest: null, crypttab, hasFile: (path) => files.includes(path) });

const uuid = (value: string): DeviceSpec => ({ by: "uuid", value });
const label = (value: string): DeviceSpec => ({ by: "label", value });
const path = (value: string): DeviceSpec => ({ by: "path", path: value });
const volume = (device: DeviceSpec, name: string | null, more: Partial<CryptVolume> = {}): CryptVolume => ({
  ...DEFAULT_SETTINGS,
  device,
  name,
  plain: null,
  isOptional: false,
  ...more,
});
const place = (more: Partial<BytesPlace>): BytesPlace => ({
  in: "filesystem",
  device: null,
  path: "",
  type: null,
  offset: 0,
  size: null,
  ...more,
});
const inImage = (file: string) => place({ in: "image", path: file });
const on = (device: DeviceSpec, file: string, more: Partial<BytesPlace> = {}) => place({ device, path: file, ...more });
const anywhere = (file: string) => on({ by: "file", paths: [file], among: "all" }, file);
const raw = (device: DeviceSpec, offset = 0, size: number | null = null) =>
  place({ in: "device", device, offset, size });
const plain = (more: Partial<PlainFormat> = {}): PlainFormat => ({
  hash: "sha256",
  cipher: "aes-xts-plain64",
  keyBits: 256,
  offsetSectors: 0,
  skipSectors: 0,
  sizeSectors: null,
  sectorBytes: 512,
  unlessLuks: false,
  ...more,
});
const OLD = { hash: "ripemd160", cipher: "aes-cbc-essiv:sha256", keyBits: 256 };
const SAID = "cipher=aes-xts-plain64,size=512,hash=sha512";
const DISCARD = { options: ["allow_discards"] };

interface Expected {
  readonly volumes?: readonly CryptVolume[];
  readonly unnamed?: Partial<CryptPlan["unnamed"]>;
  readonly everyLuks?: boolean;
  readonly isOff?: boolean;
}
type Case = readonly [cmdline: string, expected: Expected];

const CASES: Readonly<Record<string, readonly Case[]>> = {
  "dracut.cmdline(7)": [
    [`rd.luks.uuid=luks-${A}`, { volumes: [volume(uuid(A), null)] }],
    [`rd.luks.uuid=${A.toUpperCase()} rd.luks.uuid=${A}`, { volumes: [volume(uuid(A), null)] }],
    ["rd.luks.uuid=b40f1abf", { volumes: [volume({ by: "luks", prefix: "b40f1abf" }, null)] }],
    [`rd.luks.uuid=b40f1abf rd.luks.name=${A}=root`, { volumes: [volume(uuid(A), "root")] }],
    [
      "rd.luks.uuid=aaaa rd.luks.uuid=bbbb rd.luks.uuid=keysource:cccc rd.luks.key=/keyfile:UUID=CCCC",
      {
        volumes: ["aaaa", "bbbb", "cccc"].map((prefix) =>
          volume({ by: "luks", prefix }, null, { keys: [on(uuid("CCCC"), "/keyfile")] }),
        ),
        unnamed: { keys: [on(uuid("CCCC"), "/keyfile")] },
      },
    ],
    [
      `rd.luks.uuid=${A} rd.luks.allow-discards=luks-b40f rd.luks.uuid=${B}`,
      { volumes: [volume(uuid(A), null, DISCARD), volume(uuid(B), null)], unnamed: {} },
    ],
    [`rd.luks.uuid=${A} rd.luks.allow-discards`, { volumes: [volume(uuid(A), null, DISCARD)], unnamed: DISCARD }],
    [
      `rd.luks.uuid=${A} rd.luks.options=max-kdf=2min rd.luks.options=${A}=max-kdf=0`,
      { volumes: [volume(uuid(A), null, { maxKdfMs: 0 })], unnamed: { maxKdfMs: 120_000 } },
    ],
    [
      `rd.luks.uuid=${A} rd.luks.timeout=60 rd.luks.key.tout=0`,
      {
        volumes: [volume(uuid(A), null, { promptTimeoutMs: 60_000, keyTimeoutMs: 1 })],
        unnamed: { promptTimeoutMs: 60_000, keyTimeoutMs: 1 },
      },
    ],
    [
      `rd.luks.uuid=${A} rd.luks.key=/foo/bar.key`,
      {
        volumes: [volume(uuid(A), null, { keys: [anywhere("/foo/bar.key")] })],
        unnamed: { keys: [anywhere("/foo/bar.key")] },
      },
    ],
    [
      `rd.luks.uuid=${A} rd.luks.uuid=${B} rd.luks.key=/k:LABEL=KEYS:UUID=${B}`,
      { volumes: [volume(uuid(A), null), volume(uuid(B), null, { keys: [on(label("KEYS"), "/k")] })] },
    ],
    [
      `rd.luks.uuid=${A} rd.luks.key=/etc/root.key:/`,
      {
        volumes: [volume(uuid(A), null, { keys: [inImage("/etc/root.key")] })],
        unnamed: { keys: [inImage("/etc/root.key")] },
      },
    ],
    [
      `rd.luks.uuid=${A} rd.luks.uuid=${B} rd.luks.key=/k:/:UUID=${B}`,
      { volumes: [volume(uuid(A), null), volume(uuid(B), null, { keys: [inImage("/k")] })] },
    ],
    [
      `rd.luks.uuid=${A} rd.luks.key=/k:LABEL=My\\x20Keys:*`,
      {
        volumes: [volume(uuid(A), null, { keys: [on(label("My Keys"), "/k")] })],
        unnamed: { keys: [on(label("My Keys"), "/k")] },
      },
    ],
    ["rd.luks.label=SYSTEM", { volumes: [volume(label("SYSTEM"), null)] }],
    [
      "rd.luks.label=My\\x20Disk rd.luks.options=discard",
      { volumes: [volume(label("My Disk"), null, DISCARD)], unnamed: DISCARD },
    ],
    [
      "rd.luks.partuuid=ABCD1234-02 rd.luks.name=abcd1234-02=root",
      { volumes: [volume({ by: "partuuid", value: "abcd1234-02", partitionOffset: 0 }, "root")] },
    ],
    [`rd.luks=0 rd.luks.uuid=${A} rd.auto cryptdevice=/dev/sda:x`, { isOff: true }],
  ],
  "systemd-cryptsetup-generator(8)": [
    [`luks.name=${A}=root luks.options=discard`, { volumes: [volume(uuid(A), "root", DISCARD)], unnamed: DISCARD }],
    [`luks=no luks.uuid=${A}`, { isOff: true }],
    [
      `rd.luks.uuid=${A} rd.luks.options=${A}=header=/path/to/luks.hdr rd.luks.data=${A}=/dev/sdx`,
      { volumes: [volume(path("/dev/sdx"), null, { header: anywhere("/path/to/luks.hdr") })] },
    ],
    [
      `rd.luks.name=${A}=root rd.luks.data=${A}=PARTLABEL=data rd.luks.header=${A}=/h:with:colons:LABEL=K`,
      {
        volumes: [volume({ by: "partlabel", value: "data" }, "root", { header: on(label("K"), "/h:with:colons") })],
      },
    ],
    [
      `rd.luks.name=${A}=root rd.luks.key=${A}=/keyfile:UUID=1234-ABCD rd.luks.options=${A}=keyfile-timeout=10s`,
      { volumes: [volume(uuid(A), "root", { keys: [on(uuid("1234-ABCD"), "/keyfile")] })] },
    ],
    [
      `rd.luks.uuid=${A} rd.luks.options=tries=1,timeout=1min rd.luks.options=${A}=tries=7,key-slot=3,read-only`,
      {
        volumes: [volume(uuid(A), null, { tries: 7, promptTimeoutMs: 60_000, keyslot: 3, isReadOnly: true })],
        unnamed: { tries: 1, promptTimeoutMs: 60_000 },
      },
    ],
    [
      `rd.luks.uuid=${A} rd.luks.key=/dev/sdb rd.luks.options=keyfile-offset=512,keyfile-size=64,keyfile-timeout=0`,
      {
        volumes: [volume(uuid(A), null, { keys: [raw(path("/dev/sdb"), 512, 64)], keyTimeoutMs: null })],
        unnamed: { keys: [raw(path("/dev/sdb"), 512, 64)], keyTimeoutMs: null },
      },
    ],
    [
      `rd.luks.uuid=${A} rd.luks.key=${A}=LABEL=KEYS rd.luks.key=/general`,
      {
        volumes: [volume(uuid(A), null, { keys: [raw(label("KEYS"))] })],
        unnamed: { keys: [anywhere("/general")] },
      },
    ],
    [
      `rd.luks.uuid=${A} rd.luks.options=same-cpu-crypt,submit-from-crypt-cpus,no-read-workqueue,no-write-workqueue`,
      {
        volumes: [
          volume(uuid(A), null, {
            options: ["same_cpu_crypt", "submit_from_crypt_cpus", "no_read_workqueue", "no_write_workqueue"],
          }),
        ],
        unnamed: {
          options: ["same_cpu_crypt", "submit_from_crypt_cpus", "no_read_workqueue", "no_write_workqueue"],
        },
      },
    ],
    [
      `rd.luks.name=${A}=data`,
      { volumes: [volume(uuid(A), "data", { keys: [inImage("/etc/cryptsetup-keys.d/data.key")] })] },
    ],
    ["rd.luks.options=insecure-null", { unnamed: { allowsNull: true } }],
  ],
  "mkinitcpio's encrypt hook": [
    [
      `cryptdevice=UUID=${A}:root:allow-discards,no-read-workqueue`,
      {
        volumes: [
          volume(uuid(A), "root", {
            options: ["allow_discards", "no_read_workqueue"],
            keys: [inImage("/crypto_keyfile.bin")],
          }),
        ],
      },
    ],
    [
      "cryptdevice=/dev/disk/by-label/crypt:root cryptkey=UUID=AB-CD:vfat:/secret/key",
      { volumes: [volume(label("crypt"), "root", { keys: [on(uuid("AB-CD"), "/secret/key", { type: "vfat" })] })] },
    ],
    [
      "cryptdevice=/dev/sda2:root cryptkey=/dev/sdb1:auto:key",
      { volumes: [volume(path("/dev/sda2"), "root", { keys: [on(path("/dev/sdb1"), "/key")] })] },
    ],
    [
      "cryptdevice=/dev/sda2:root cryptkey=LABEL=K:2048:512",
      { volumes: [volume(path("/dev/sda2"), "root", { keys: [raw(label("K"), 2048, 512)] })] },
    ],
    [
      "cryptdevice=/dev/sda2:root cryptkey=rootfs:/root/secret.key",
      { volumes: [volume(path("/dev/sda2"), "root", { keys: [inImage("/root/secret.key")] })] },
    ],
    [
      "cryptdevice=/dev/sda2:root:header=/h cryptkey=rootfs:/k crypto=sha512:twofish-xts-plain64:512:8:2",
      {
        volumes: [
          volume(path("/dev/sda2"), "root", {
            plain: plain({
              hash: "sha512",
              cipher: "twofish-xts-plain64",
              keyBits: 512,
              offsetSectors: 8,
              skipSectors: 2,
              unlessLuks: true,
            }),
            keys: [inImage("/k")],
          }),
        ],
      },
    ],
    // `cryptsetup isLuks` is asked first, whatever crypto= says.
    [
      "cryptdevice=/dev/sda2:root crypto=::::",
      {
        volumes: [
          volume(path("/dev/sda2"), "root", {
            plain: plain({ unlessLuks: true }),
            keys: [inImage("/crypto_keyfile.bin")],
          }),
        ],
      },
    ],
  ],
  "Alpine's mkinitfs-bootparam(7)": [
    [
      `cryptroot=UUID=${A} cryptdm=root cryptkey=/dev/sdb:16:32 cryptheader=/dev/sdc cryptdiscards`,
      {
        volumes: [
          volume(uuid(A), "root", { keys: [raw(path("/dev/sdb"), 16, 32)], header: raw(path("/dev/sdc")), ...DISCARD }),
        ],
      },
    ],
    [
      "cryptroot=/dev/sda2 cryptkey",
      { volumes: [volume(path("/dev/sda2"), null, { keys: [inImage("/crypto_keyfile.bin")] })] },
    ],
    [
      "cryptroot=/dev/sda2 cryptkey=/etc/keys/root.key:4:8",
      {
        volumes: [
          volume(path("/dev/sda2"), null, { keys: [{ ...inImage("/etc/keys/root.key"), offset: 4, size: 8 }] }),
        ],
      },
    ],
  ],
  "Debian's README.initramfs": [
    [
      "cryptopts=target=cryptoroot,source=/dev/sda2,key=none,discard cryptopts=source=LABEL=b,luks",
      { volumes: [volume(path("/dev/sda2"), "cryptoroot", DISCARD), volume(label("b"), "cryptroot")] },
    ],
    [
      "cryptopts=target=r,source=/dev/sda2,hash=ripemd160,cipher=aes-cbc-essiv:sha256,size=256,key=/etc/keys/root.key",
      {
        volumes: [
          volume(path("/dev/sda2"), "r", {
            plain: plain({ ...OLD, unlessLuks: true }),
            keys: [inImage("/etc/keys/root.key")],
          }),
        ],
      },
    ],
  ],
  levain: [
    [
      `rd.crypt.plain=SIBLING=2:LABEL=KEYS:root:${SAID},offset=8,skip=1,device-size=100,sector-size=4096`,
      {
        volumes: [
          volume({ by: "sibling", index: 2, of: { by: "label", value: "KEYS" } }, "root", {
            plain: plain({
              hash: "sha512",
              keyBits: 512,
              offsetSectors: 8,
              skipSectors: 1,
              sizeSectors: 100,
              sectorBytes: 4096,
            }),
          }),
        ],
      },
    ],
    ["rd.crypt.plain=/dev/sda2:r:defaults=old", { volumes: [volume(path("/dev/sda2"), "r", { plain: plain(OLD) })] }],
    [
      "rd.crypt.plain=/dev/sda2:r:defaults=old,hash=plain rd.luks.key=/k rd.luks.options=discard rd.luks.timeout=5",
      {
        volumes: [volume(path("/dev/sda2"), "r", { plain: plain({ ...OLD, hash: "plain" }) })],
        unnamed: { ...DISCARD, keys: [anywhere("/k")], promptTimeoutMs: 5000 },
      },
    ],
    // Not asked for, but it is the root, or rd.auto unlocks everything.
    [
      `root=UUID=${A} rd.luks.key=${A}=/k`,
      { volumes: [volume(uuid(A), null, { keys: [anywhere("/k")], isOptional: true })] },
    ],
    [`rd.luks.options=${A}=discard,tries=0 rd.luks.timeout=5`, { unnamed: { promptTimeoutMs: 5000 } }],
    ["", {}],
  ],
};

for (const [source, cases] of Object.entries(CASES)) {
  describe(source, () => {
    test.each(cases.map((one) => [...one] as const))("%s", (cmdline, { volumes = [], unnamed = {}, ...more }) => {
      const { crypt } = make(cmdline, null, IMAGE).plan;
      expect(crypt.volumes).toEqual([...volumes]);
      const general = { ...DEFAULT_SETTINGS, ...unnamed };
      expect(crypt).toEqual({ isOff: false, everyLuks: false, ...more, volumes: [...volumes], unnamed: general });
    });
  });
}

test("rd.auto unlocks every LUKS volume, those named in other parameters with their options", () => {
  const { plan, warnings } = make(`rd.auto rd.luks.options=${A}=tries=2`);
  expect(plan.crypt.everyLuks).toBe(true);
  expect(plan.crypt.volumes).toEqual([volume(uuid(A), null, { tries: 2, isOptional: true })]);
  expect(warnings).toEqual([]);
});

test("the keymap of the passphrase", () => {
  expect(make("vconsole.keymap=fr rd.vconsole.keymap=de-latin1").plan.keymap).toBe("de-latin1");
  expect(make("").plan.keymap).toBeNull();
});

function mistakesOf(cmdline: string, crypttab: string | null = null): readonly string[] {
  try {
    make(cmdline, crypttab);
    return [];
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    return error.seen;
  }
}

// mkinitcpio ends the device at the first colon, and finds none of these.
describe("colons in a device", () => {
  test.each([
    ["cryptdevice=8:1:root", { by: "number", major: 8, minor: 1 }],
    ["cryptdevice=8:1:root:discard", { by: "number", major: 8, minor: 1 }],
    ["rd.crypt.plain=SIBLING=2:8:1:root:defaults=old", { by: "sibling", index: 2, of: path("8:1") }],
    ...[
      "/dev/disk/by-path/pci-0000:00:1f.2-ata-1",
      "/dev/disk/by-path/pci-0000:00:14.0-usb-0:1.2:1.0-scsi-0:0:0:0-part2",
      "/dev/disk/by-path/pci-0000:00:14.0-usbv3-0:1:1.0-scsi-0:0:0:0",
      "/dev/disk/by-path/pci-10000:e1:00.0-nvme-1",
      "/dev/disk/by-path/platform-fe340000.mmc-part2",
      "/dev/disk/by-id/usb-SanDisk_Ultra_4C530001-0:0",
      "/dev/disk/by-id/usb-SanDisk_Ultra_4C530001-0:0-part2",
      "/dev/disk/by-id/ata-Disk_1-part2",
      "/dev/sda2",
    ].flatMap((device) => [
      [`cryptdevice=${device}:root`, path(device)] as const,
      [`cryptdevice=${device}:root:discard,tries=1`, path(device)] as const,
      [`rd.crypt.plain=${device}:root:defaults=old`, path(device)] as const,
    ]),
  ] as const)("%s", (cmdline, device) => {
    const [volume, ...others] = make(cmdline).plan.crypt.volumes;
    expect(others).toEqual([]);
    const wanted = "of" in device ? { ...device, of: { by: "number", major: 8, minor: 1 } } : device;
    expect<unknown>([volume?.name, volume?.device]).toEqual(["root", wanted]);
    expect(make(cmdline).warnings).toEqual([]);
  });
});

describe("a mistake is reported", () => {
  const ID = "the UUID of a LUKS volume, or its beginning of at least 4 digits";
  const NAME = "a name for /dev/mapper of letters, digits and #+-.:=@_, without a slash";
  const DEVICE = "a device (/dev/…, LABEL=, UUID=, PARTUUID=, PARTLABEL=, SIBLING=n:DEVICE)";
  const PLACE = 'PATH, PATH:DEVICE or DEVICE, without ".."';
  test.each([
    ["rd.luks.uuid=", ID],
    ["rd.luks.uuid=abc", ID],
    ["rd.luks.uuid=b40f1abf2a53400a", ID],
    [`rd.luks.uuid=${A}0`, ID],
    ["rd.luks.partuuid=xyz", "the PARTUUID of a partition"],
    [`rd.luks.name=${A}`, "UUID=NAME"],
    [`rd.luks.name=${A}=`, "UUID=NAME"],
    [`rd.luks.name=${A}=a/b`, NAME],
    [`rd.luks.name=${A}=..`, NAME],
    [`rd.luks.name=${A}=control`, NAME],
    [`rd.luks.name=${A}=${"x".repeat(128)}`, NAME],
    ["rd.luks.name=12345-6=root", ID],
    ["rd.luks.key=", PLACE],
    ["rd.luks.key=/a/../b", PLACE],
    ["rd.luks.key=/a/", PLACE],
    ["rd.luks.key=/a:/dev/..", DEVICE],
    [`rd.luks.data=${A}=sda`, DEVICE],
    ["rd.luks.data=/dev/sda", "UUID=DEVICE"],
    ["rd.luks.timeout=x", "a number of seconds"],
    ["rd.luks.key.tout=-1", "a number of seconds"],
    ["rd.luks.options=tries=many", "tries= from 0 to 1000"],
    ["rd.luks.options=key-slot=32", "key-slot= from 0 to 31"],
    ["rd.luks.options=timeout=soon", "timeout= as a time, such as 30 or 1min 30s"],
    ["rd.luks.options=keyfile-timeout=99999h", "keyfile-timeout= as a time, such as 30 or 1min 30s"],
    ["rd.luks.options=keyfile-size=0", "keyfile-size= in bytes from 1 to 1125899906842624"],
    ["rd.luks.options=keyfile-offset=1125899906842625", "keyfile-offset= in bytes from 0 to 1125899906842624"],
    ["cryptdevice=/dev/sda2", "DEVICE:NAME or DEVICE:NAME:OPTIONS"],
    ["cryptdevice=8:1", DEVICE],
    ["cryptdevice=/dev/disk/by-path/pci-0000:00:1f.2-ata-1", "DEVICE:NAME or DEVICE:NAME:OPTIONS"],
    ["cryptdevice=/dev/sda2:", NAME],
    ["cryptdevice=SIBLING=2:LABEL=x", "DEVICE:NAME or DEVICE:NAME:OPTIONS"],
    ["cryptkey=EXEC=/bin/x", "a key, not a program: EXEC= is not supported yet"],
    ["cryptkey=/dev/sdb:0:0", "a size in bytes from 1 to 1125899906842624"],
    ["crypto=sha512:aes-xts-plain64", "HASH:CIPHER:KEYBITS:OFFSET:SKIP, of which each may be empty"],
    ["crypto=::0::", "size= in bits from 8 to 4096"],
    ["crypto=::129::", "size= in bits, a multiple of 8"],
    ["crypto=:::x:", "offset= in sectors from 0 to 4398046511104"],
    ["cryptroot=sda2", DEVICE],
    ["cryptopts=target=x", "source=DEVICE among the options of cryptopts="],
    ["rd.crypt.plain=/dev/sda2:x:sector-size=513", "sector-size= of 512, 1024, 2048 or 4096"],
    ["rd.crypt.plain=/dev/sda2:x:defaults=good", "defaults=old or defaults=new"],
    ['"rd.crypt.plain=/dev/sda2:x:cipher=aes xts"', "cipher= as cryptsetup spells it"],
    ["rd.vconsole.keymap=../../x", "the name of a keymap, such as de-latin1"],
  ])("%s", (word, expected) => {
    const text = word.replaceAll('"', "");
    const received = text.slice(text.indexOf("=") + 1);
    expect(mistakesOf(word)).toEqual([`${text}: Expected ${expected} but received "${received}"`]);
  });

  test("but not if nothing is unlocked", () => {
    expect(mistakesOf("rd.luks=0 cryptdevice=/dev/a:root rd.crypt.plain=/dev/b:root")).toEqual([]);
  });

  test("also two volumes with one name, and all mistakes together", () => {
    const two = "cryptdevice=/dev/a:root rd.crypt.plain=/dev/b:root:defaults=old";
    expect(mistakesOf(two)).toEqual(['two encrypted devices use the name "root"']);
    expect(mistakesOf("rd.luks.uuid=x cryptroot=y cryptdm=a/b", "root\nx /dev/y /k z,tries=x")).toHaveLength(3);
  });
});

describe("parameters that are ignored or not used cause a warning", () => {
  test.each([
    [
      `rd.luks.uuid=${A} rd.luks.options=tpm2-device=auto,tpm2-pcrs=7,frob=secret`,
      [
        "rd.luks.options=: tpm2-device is not supported yet: levain uses a key file or asks for a passphrase",
        "rd.luks.options=: unknown option frob, ignoring it",
      ],
    ],
    [
      "cryptopts=source=/dev/sda2,keyscript=/x,lvm=vg,check=blkid,loud",
      [
        "cryptopts=: keyscript is not run: levain asks for what it would print",
        "cryptopts=: check is not run: levain asks again if a plain volume has no known filesystem",
      ],
    ],
    [
      `rd.luks.uuid=${A} rd.luks.options=password-echo=no,try-empty-password=yes,headless`,
      [
        "rd.luks.options=: password-echo is not supported yet: passphrases are never echoed",
        "rd.luks.options=: try-empty-password is not supported yet: an empty passphrase must be typed",
      ],
    ],
    [
      "rd.crypt.plain=/dev/sda2:r:size=512",
      [
        "r is a plain volume, and its options lack cipher=aes-xts-plain64,hash=sha256: levain uses these defaults of cryptsetup 2.7; defaults=old selects the earlier ones",
      ],
    ],
    [
      `rd.luks.uuid=${A} rd.luks.options=${A}=swap`,
      [`UUID=${A} is not unlocked: its key changes at every boot (swap)`],
    ],
    [
      `rd.luks.uuid=${A} rd.luks.header=${A}=/h`,
      [`UUID=${A} has a detached header, so its data device has no UUID: name the data device with rd.luks.data=`],
    ],
    [
      `rd.luks.key=${A}=/k`,
      [`the parameters for the encrypted device ${A} are not used: unlock it with rd.luks.uuid=`],
    ],
    ["rd.crypt.plain=/dev/sda2:r:defaults=old", []],
    ["cryptdevice=/dev/sda2:r cryptkey=/dev/urandom", ["r is not unlocked: its key changes at every boot"]],
    [
      "rd.luks.key=/root.key.gpg:LABEL=K",
      ["rd.luks.key=: GPG is not supported yet, the file is used as the key unchanged"],
    ],
    ["cryptkey=/k", ["cryptkey= needs cryptdevice= or cryptroot="]],
    ["crypto=::::", ["crypto= needs cryptdevice="]],
    ["cryptdm=x", ["cryptdm= needs cryptroot="]],
    ["cryptheader=/x", ["cryptheader= needs cryptroot="]],
    ["cryptdiscards", ["cryptdiscards needs cryptroot="]],
    [
      "cryptroot=/dev/a cryptoffset=8",
      ["cryptoffset= is not supported yet, ignoring it: the header of a LUKS volume says where its data begin"],
    ],
    [`rd.luks=0 rd.luks.options=frob rd.luks.key=${A}=/k`, []],
  ] as readonly (readonly [string, readonly string[]])[])("%s", (cmdline, warnings) => {
    expect(make(cmdline).warnings).toEqual([...warnings]);
  });
});
