import { expect, test } from "bun:test";
import { rootImage } from "../support/fake-boot.ts";
import { CHEAP } from "../support/luks/cryptsetup-image.ts";
import { cryptBoot, luksDisk, typed } from "../support/luks/encrypted-disk.ts";
import { editJson } from "../support/luks/luks2-edit.ts";

const UUID = "6c657661-696e-4000-8000-00000000eeee";

test("a keyslot that this machine cannot try is reported after a wrong passphrase, once", async () => {
  const script = `cryptsetup luksFormat -q --type luks2 --luks2-keyslots-size 1m --offset 4096 --uuid ${UUID} --pbkdf pbkdf2 ${CHEAP} $1 key
    printf other > other; cryptsetup luksAddKey -q --key-file key --pbkdf pbkdf2 ${CHEAP} $1 other`;
  const root = rootImage("ROOT");
  const disk = await luksDisk({ name: "boot-untried", script }, root);
  const bytes = editJson(disk.bytes, (json) => {
    const { salt } = json.keyslots[1].kdf;
    json.keyslots[1].kdf = { type: "argon2id", time: 4, memory: 4 << 20, cpus: 4, salt };
  });
  const { end, console } = cryptBoot({
    cmdline: `root=UUID=${UUID}`,
    disks: [{ name: "vda", image: { ...disk, bytes } }],
    images: [root],
    files: { "/proc/meminfo": "MemAvailable: 1048576 kB\n" },
    typing: typed("other", "other", "pass"),
  });
  expect(end).toMatchObject({ mode: "switch_root" });
  const warning =
    "warning   /dev/vda: keyslot 1 needs 4 GiB to unlock, and 1 GiB of 1 GiB are free, so it is not tried";
  expect(console.split(warning)).toHaveLength(2);
});
