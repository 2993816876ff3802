import { expect, test } from "bun:test";
import { formatPlan } from "../../../../src/plan/format-plan.ts";
import { makePlan } from "../../../../src/plan/make-plan.ts";

const A = "b40f1abf-2a53-400a-889a-2eccc27eaa40";
const format = (cmdline: string, crypttab: string | null = null) =>
  formatPlan(makePlan({ cmdline, manifest: null, crypttab, hasFile: (path) => path === "/in" }).plan)
    .filter((line) => /^(?:encrypted|keymap) /.test(line))
    .map((line) => line.replace(/^encrypted {3}/, ""));

test.each([
  ["", []],
  ["rd.luks=0", ["nothing is unlocked"]],
  ["rd.luks.uuid=abcd", ["UUID=abcd… as luks-UUID, 5 tries"]],
  ["rd.auto", ["every other LUKS volume, 5 tries"]],
  ["rd.luks.options=insecure-null", ["the root, if it is a LUKS volume, 5 tries, even if not encrypted"]],
  [
    `rd.luks.name=${A}=root rd.luks.key=${A}=/k:LABEL=K rd.luks.options=${A}=keyfile-timeout=0,tries=1,timeout=9,nofail`,
    [`UUID=${A} as root, key /k on LABEL=K, wait without limit, 1 try, prompt at most 9 s, may be missing`],
  ],
  [
    `rd.luks.name=${A}=root rd.luks.key=${A}=/in rd.luks.key=${A}=/dev/sdb rd.luks.options=${A}=keyfile-offset=9,key-slot=1`,
    [
      `UUID=${A} as root, key /in of the image from byte 9, key /dev/sdb from byte 9, wait at most 10 s, keyslot 1 only, 5 tries`,
    ],
  ],
  [
    "cryptroot=/dev/a cryptheader=/h cryptkey=/dev/b:1:2 cryptdiscards",
    [
      "/dev/a as luks-UUID, header /h on any device, key /dev/b bytes 1 to 3, wait at most 10 s, 5 tries, allow_discards",
    ],
  ],
  [
    "rd.crypt.plain=/dev/a:x:defaults=old,offset=1,skip=2,device-size=3,sector-size=4096,tries=0,readonly",
    [
      "/dev/a as x, plain aes-cbc-essiv:sha256 with 256 bits, passphrase hashed with ripemd160, from sector 1, sector numbers from 2, 3 sectors, sectors of 4096 bytes, any number of tries, read-only",
    ],
  ],
  ["rd.vconsole.keymap=de", ["keymap      de"]],
] as readonly (readonly [string, readonly string[]])[])("%s", (cmdline, lines) => {
  expect(format(cmdline)).toEqual([...lines]);
});
