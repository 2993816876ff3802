import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { keyFile } from "./encrypted-volumes.ts";
import { makeInGuest } from "./maker-guest.ts";
import { smallRoot } from "./root-tree.ts";

const KEY = "/keys/file";
const MIB = 48;

/**
 * Two disks with checksums, of crc32c and of an HMAC with the key of `keyFile`, and the small root on the mirror of both. The second
 * has blocks of 4096 bytes.
 */
export async function integrityDisks(): Promise<readonly string[]> {
  const [tree, key] = await Promise.all([smallRoot(), keyFile()]);
  const names = ["plain", "keyed"];
  const recipe = recipeKey(readFileSync(import.meta.path, "utf8"), tree, key);
  const directory = await cached("integrity-disks", recipe, (target) =>
    makeInGuest({
      name: "dm-integrity",
      disks: names.map((serial) => ({ serial, file: join(target, serial), mib: MIB })),
      modules: ["dm-integrity", "crc32c_generic", "hmac", "sha256_generic", "raid1"],
      programs: ["/sbin/integritysetup", "/usr/sbin/mdadm", "/sbin/mkfs.ext4"],
      files: { [KEY]: { file: key } },
      tree,
      script: `
        hmac="--integrity hmac-sha256 --integrity-key-file ${KEY} --integrity-key-size $(wc -c < ${KEY})"
        integritysetup format -q $(device plain); integritysetup open $(device plain) plain
        integritysetup format -q $hmac --sector-size 4096 --tag-size 32 $(device keyed); integritysetup open $hmac $(device keyed) keyed
        mdadm -q --create /dev/md0 --run --assume-clean --metadata=1.2 --level=1 --raid-devices=2 /dev/mapper/plain /dev/mapper/keyed </dev/null
        mkfs.ext4 -q -b 4096 -L CHECKED -d /tree /dev/md0
        mdadm -q --wait-clean /dev/md0; mdadm -q --stop /dev/md0; integritysetup close plain; integritysetup close keyed; sync`,
    }),
  );
  return names.map((name) => join(directory, name));
}
