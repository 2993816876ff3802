import { beforeAll, describe, expect, test } from "bun:test";
import { rootImage } from "../support/fake-boot.ts";
import type { FakeImage } from "../support/fake-images.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";

const root = rootImage("ROOT");
let disk: FakeImage;
beforeAll(async () => {
  const script = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --uuid 6c657661-696e-4000-8000-00000000dddd --pbkdf pbkdf2 ${CHEAP} $1 key`;
  disk = await luksDisk({ name: "boot-or-plain", script }, root);
});

function boot(cmdline: string, files: Readonly<Record<string, string>> = {}) {
  return cryptBoot({
    cmdline: `root=/dev/mapper/root ${cmdline}`,
    disks: [{ name: "vda", image: disk }],
    images: [root],
    typing: typed("pass"),
    files,
  });
}

describe("a malformed crypttab does not hold up a boot", () => {
  test.each([
    ["#".repeat(65537), "/etc/crypttab is longer than 64 KiB, ignoring it"],
    ["frob\nroot /dev/vda none tries=x", "/etc/crypttab line 1 is ignored: expected a name and a device"],
  ])("%#", (crypttab, warning) => {
    const result = boot("cryptdevice=/dev/vda:root", { "/etc/crypttab": crypttab });
    expect(result.console).toContain(`warning   ${warning}`);
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });
});

describe("LUKS is opened as LUKS unless a parameter says that it is plain", () => {
  test.each([
    ["cryptdevice=/dev/vda:root crypto=::::", {}],
    ["cryptdevice=/dev/vda:root crypto=sha512:twofish-xts-plain64:512:0:", {}],
    ["cryptopts=source=/dev/vda,target=root,hash=sha512,cipher=aes-cbc-plain", {}],
    ["", { "/etc/crypttab": "root /dev/vda none cipher=aes-cbc-plain" }],
  ])("%s %o", (cmdline, files) => {
    const result = boot(cmdline, files);
    expect(result.machine.terminals.screen("/dev/ttyS0")).toContain("/dev/vda (LUKS2) as root");
    expect(result.console).toContain('  root      /dev/mapper/root ext4 "ROOT" in /dev/vda crypto_LUKS');
    expect(result.end).toMatchObject({ mode: "switch_root" });
  });

  test("and not if one does", () => {
    const { machine } = boot("rd.crypt.plain=/dev/vda:root:defaults=old,tries=1");
    expect(machine.terminals.screen("/dev/ttyS0")).toContain("/dev/vda (plain aes-cbc-essiv:sha256) as root");
  });
});
