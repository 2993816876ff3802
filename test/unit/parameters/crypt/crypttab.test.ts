import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseCrypttab } from "../../../../src/parameters/crypt/crypttab.ts";
import { CRYPT_OPTION_NAMES } from "../../../../src/parameters/crypt/options.ts";
import { makePlan } from "../../../../src/plan/make-plan.ts";

const A = "b40f1abf-2a53-400a-889a-2eccc27eaa40";
const B = "c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c";

const make = (crypttab: string, cmdline = "") =>
  makePlan({ cmdline, manifest: null, crypttab, hasFile: (path) => path === "/etc/luks/root.key" });
/** The main fields of the volumes. */
const volumes = (crypttab: string, cmdline = "") =>
  make(crypttab, cmdline).plan.crypt.volumes.map(({ name, device, keys, tries, plain, options }) => ({
    name,
    device,
    keys: keys.map((key) => `${key.in}:${key.path}`),
    tries,
    isPlain: plain !== null,
    options,
  }));
const ROOT = {
  name: "root",
  device: { by: "uuid", value: A },
  keys: [] as string[],
  tries: 5,
  isPlain: false,
  options: [] as string[],
};

describe("crypttab(5)", () => {
  // The example of systemd's page, and lines of Debian's.
  test("of systemd", () => {
    const table = `
luks       UUID=2505567a-9e27-4efe-a4d5-15ad146c258b
swap       /dev/sda7       /dev/urandom             swap
truecrypt  /dev/sda2       /etc/container_password  tcrypt
hidden     /mnt/tc_hidden  /dev/null    tcrypt-hidden,tcrypt-keyfile=/etc/keyfile
external   /dev/sda3       keyfile:LABEL=keydev keyfile-timeout=10s,cipher=xchacha12,aes-adiantum-plain64
bitlk      /dev/sdb1       none bitlk,nofail
later      /dev/sdc1       none noauto
`;
    const { plan, warnings } = make(table);
    expect(plan.crypt.volumes.map(({ name }) => name)).toEqual(["luks", "external"]);
    expect(plan.crypt.volumes[1]).toMatchObject({
      keys: [{ in: "filesystem", path: "/keyfile", device: { by: "label", value: "keydev" } }],
      plain: { cipher: "xchacha12" },
    });
    expect(warnings).toEqual([
      "/etc/crypttab line 3: swap is not unlocked: its key changes at every boot (swap)",
      "/etc/crypttab line 4: truecrypt is not unlocked: TrueCrypt is not supported yet",
      "/etc/crypttab line 5: hidden is not unlocked: TrueCrypt is not supported yet",
      "/etc/crypttab line 6: external: unknown option aes-adiantum-plain64, ignoring it",
      "/etc/crypttab line 7: bitlk is not unlocked: BitLocker is not supported yet",
      "external is a plain volume if it is not LUKS, and its options lack size=256,hash=sha256: levain uses these defaults of cryptsetup 2.7; defaults=old selects the earlier ones",
    ]);
  });

  test("of Debian", () => {
    const table = [
      "# <target> <source> <key> <options>",
      "cdisk0\tUUID=12345678-9abc-def0-1234-56789abcdef0\tnone\tluks,initramfs,tries=0",
      "  cdisk1 /dev/sda2 /etc/luks/root.key luks,noearly,x-initrd.attach # my disk",
      "cdisk2 /dev/hda3 none plain,cipher=aes-xts-plain64,size=256,hash=sha1,readonly",
      "cswap /dev/sda6 /dev/urandom plain,cipher=aes-xts-plain64,size=256,hash=sha1",
      "script LABEL=My\\040Disk none luks,keyscript=/lib/cryptsetup/scripts/decrypt_gnupg",
    ].join("\n");
    expect(volumes(table)).toEqual([
      { ...ROOT, name: "cdisk0", device: { by: "uuid", value: "12345678-9abc-def0-1234-56789abcdef0" }, tries: 0 },
      { ...ROOT, name: "cdisk1", device: { by: "path", path: "/dev/sda2" }, keys: ["image:/etc/luks/root.key"] },
      { ...ROOT, name: "cdisk2", device: { by: "path", path: "/dev/hda3" }, isPlain: true },
      { ...ROOT, name: "script", device: { by: "label", value: "My Disk" } },
    ]);
    expect(make(table).warnings).toEqual([
      "/etc/crypttab line 5: cswap is not unlocked: its key changes at every boot",
      "/etc/crypttab line 6: script: keyscript is not run: levain asks for what it would print",
    ]);
  });

  test("a volume in a file is not unlocked", () => {
    expect(parseCrypttab("x /srv/volume.img none luks").warnings).toEqual([
      "line 1: x is not unlocked: a file as its device is not supported yet",
    ]);
  });

  test("cipher= without luks or plain is plain, with key-slot= or header= it is LUKS", () => {
    const isPlain = (options: string) => volumes(`x /dev/a none ${options}`)[0]?.isPlain;
    expect(
      ["cipher=aes-xts-plain64", "luks,cipher=aes", "cipher=aes,key-slot=1", "hash=sha1,header=/h", ""].map(isPlain),
    ).toEqual([true, false, false, false, false]);
  });
});

// As in systemd and cryptsetup: the root may be on another volume.
describe("a malformed line is ignored, with a warning that has its number", () => {
  test.each([
    ["root", "line 1 is ignored: expected a name and a device, optionally a key file and options"],
    [
      "# x\n\n a/b /dev/x",
      "line 3 is ignored: expected a name for /dev/mapper of letters, digits and #+-.:=@_, without a slash",
    ],
    ["a sda1", "line 1 is ignored: expected a device (/dev/…, LABEL=, UUID=, PARTUUID=, PARTLABEL=, SIBLING=n:DEVICE)"],
    ["a /dev/x /k/", 'line 1 is ignored: expected PATH, PATH:DEVICE or DEVICE, without ".."'],
  ])("%j", (table, warning) => {
    const { plan, warnings } = make(`${table}\nother /dev/y none luks`);
    expect(plan.crypt.volumes.map(({ name }) => name)).toEqual(["other"]);
    expect(warnings).toEqual([`/etc/crypttab ${warning}`]);
    expect(make(table, "rd.luks.crypttab=0").warnings).toEqual([]);
    expect(make(table, "rd.luks=0").warnings).toEqual([]);
  });

  test("a malformed option: the volume is unlocked without it", () => {
    const { plan, warnings } = make("a /dev/x none tries=x,discard,header=/..,cipher=a=b");
    expect(plan.crypt.volumes).toMatchObject([
      { name: "a", tries: 5, options: ["allow_discards"], header: null, plain: null },
    ]);
    expect(warnings).toEqual([
      "/etc/crypttab line 1: a: tries= is ignored: expected tries= from 0 to 1000",
      '/etc/crypttab line 1: a: header= is ignored: expected PATH, PATH:DEVICE or DEVICE, without ".."',
      "/etc/crypttab line 1: a: cipher= is ignored: expected cipher= as cryptsetup spells it",
    ]);
  });

  test("text after the options", () => {
    const { plan, warnings } = make("a /dev/x none luks, discard\nb /dev/y none luks # mine");
    expect(plan.crypt.volumes).toMatchObject([{ name: "a", options: [] }, { name: "b" }]);
    expect(warnings).toEqual([
      "/etc/crypttab line 1: a: text after the fourth field is ignored; write a space in a field as \\040",
    ]);
  });

  test("the name of a volume of the command line, found only when drafts are joined", () => {
    const { plan, warnings } = make(
      `root UUID=${A}\nluks-b40f /dev/sda2`,
      "cryptopts=source=/dev/sda2,target=luks-b40f,discard",
    );
    expect(plan.crypt.volumes).toMatchObject([
      { device: { by: "path", path: "/dev/sda2" }, options: ["allow_discards"] },
    ]);
    expect(warnings).toEqual(["luks-b40f is not unlocked: another encrypted device has its name"]);
  });

  test("a name that the command line gives to another volume is taken, and that is said", () => {
    const { plan, warnings } = make("data /dev/sdb1 none luks", "cryptdevice=/dev/sda2:data");
    expect(plan.crypt.volumes.map(({ device }) => device)).toEqual([{ by: "path", path: "/dev/sda2" }]);
    expect(warnings).toEqual(["data is not unlocked: another encrypted device has its name"]);
  });

  test("the name of an earlier line", () => {
    const { plan, warnings } = make("a /dev/x none luks\nb /dev/y none luks\na /dev/z none luks\n");
    expect(plan.crypt.volumes.map(({ device }) => device)).toEqual([
      { by: "path", path: "/dev/x" },
      { by: "path", path: "/dev/y" },
    ]);
    expect(warnings).toEqual(["/etc/crypttab line 3 is ignored: an earlier line has the name a"]);
  });
});

describe("the command line and the table", () => {
  const TABLE = `root UUID=${A} /etc/luks/root.key luks,discard,tries=2\nhome UUID=${B} none luks`;
  const root = { ...ROOT, keys: ["image:/etc/luks/root.key"], tries: 2, options: ["allow_discards"] };
  const home = { ...ROOT, name: "home", device: { by: "uuid", value: B } };

  test.each([
    ["", [root, home]],
    ["rd.luks.crypttab=no", []],
    // Volumes chosen on the command line restrict crypttab to these.
    [`rd.luks.uuid=${A}`, [root]],
    ["rd.luks.uuid=luks-b40f", [root]],
    [`rd.luks.name=${A}=other`, [{ ...root, name: "other" }]],
    [`rd.luks.options=${A}=tries=9`, [{ ...root, tries: 9 }, home]],
    [
      "rd.luks.options=tries=9",
      [
        { ...root, tries: 9 },
        { ...home, tries: 9 },
      ],
    ],
    [
      `rd.luks.options=tries=9 rd.luks.options=${A}=tries=8`,
      [
        { ...root, tries: 8 },
        { ...home, tries: 9 },
      ],
    ],
    [`rd.luks.key=${A}=/k:LABEL=K`, [{ ...root, keys: ["filesystem:/k"] }, home]],
    [
      "rd.luks.key=/k:LABEL=K",
      [
        { ...root, keys: ["image:/etc/luks/root.key", "filesystem:/k"] },
        { ...home, keys: ["filesystem:/k"] },
      ],
    ],
    [`cryptdevice=UUID=${A}:mine:tries=1`, [{ ...root, name: "mine", tries: 1 }, home]],
    // The same name for another device.
    ["cryptdevice=/dev/sdx:root", [home, { ...ROOT, device: { by: "path", path: "/dev/sdx" } }]],
  ] as readonly (readonly [string, readonly unknown[]])[])("%s", (cmdline, expected) => {
    expect(volumes(TABLE, cmdline) as unknown[]).toEqual([...expected]);
  });

  test("the name luks-UUID is a UUID, as in systemd", () => {
    const table = `luks-${A} /dev/sda2 none tries=1`;
    expect(volumes(table, `rd.luks.uuid=${A}`)).toEqual([
      { ...ROOT, name: `luks-${A}`, device: { by: "path", path: "/dev/sda2" }, tries: 1 },
    ]);
  });
});

describe("docs/crypttab.md", () => {
  const page = readFileSync(join(import.meta.dir, "../../../../docs/crypttab.md"), "utf8");
  const spans = [...page.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span.replace(/=\w*$/, ""));

  test.each(CRYPT_OPTION_NAMES)("has the option %s", (name) => {
    expect(spans).toContain(name);
  });

  test("has an example with three volumes", () => {
    const [, example = ""] = /^```\n(.*?)^```/ms.exec(page) ?? [];
    expect(volumes(example).map(({ name, isPlain }) => [name, isPlain])).toEqual([
      ["root", false],
      ["data", false],
      ["old", true],
    ]);
    expect(make(example).warnings).toEqual([]);
  });
});
