import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "./cache.ts";
import { runScript } from "./command.ts";
import { LVM_CONF } from "./lvm-disks.ts";
import { makeInGuest } from "./maker-guest.ts";

const DISKS = ["layout0", "layout1", "layout2", "layout3", "layout4"];
const create = (words: string) => `lvm lvcreate -qq -y -Wn -Zn ${words} vg`;

/** Layouts of one volume group, "vg" on five disks of 64 MiB with extents of 1 MiB: the commands that make them. */
const LAYOUTS: Readonly<Record<string, string>> = {
  linear: create("-n a -l 5"),
  "linear-whole": create("-n a -l 100%FREE"),
  "linear-last-disk": `${create("-n a -l 5").replace(/vg$/, "vg $4")}`,
  "linear-at-an-extent": create("-n a -l 5").replace(/vg$/, "vg $2:7-11"),
  "linear-reversed": `${create("-n a -l 5").replace(/vg$/, "vg $4")}; lvm lvextend -qq -l +5 vg/a $1`,
  "linear-in-pieces": `${create("-n a -l 2")}; ${create("-n b -l 2")}; lvm lvextend -qq -l +2 vg/a $1; lvm lvextend -qq -l +3 vg/b $1; lvm lvextend -qq -l +1 vg/a $3`,
  "read-only": create("-n a -l 5 -p r").replace("-Wn ", ""),
  "names-with-dashes": `${create("-n a-b -l 1")}; ${create("-n a--b -l 1")}; ${create("-n a.b+c_d -l 1")}; ${create("-n x- -l 1")}`,
  "many-volumes": Array.from({ length: 20 }, (_, index) => create(`-n v${index} -l ${index + 1}`)).join("; "),
  ...Object.fromEntries(
    [2, 3, 4].flatMap((stripes) =>
      ["4k", "64k", "512k"].map((size) => [
        `striped-${stripes}-${size}`,
        create(`-n a -i ${stripes} -I ${size} -l ${stripes * 4}`),
      ]),
    ),
  ),
  "striped-then-linear": `${create("-n a -i 2 -l 8")}; lvm lvextend -qq -i 1 -l +3 vg/a`,
  "striped-then-wider": `${create("-n a -i 2 -l 8")}; lvm lvextend -qq -i 3 -l +6 vg/a`,
  "linear-then-striped": `${create("-n a -l 8")}; lvm lvextend -qq -i 4 -I 128k -l +8 vg/a`,
  ...Object.fromEntries(
    [2, 3, 4].map((copies) => [`raid1-${copies}`, create(`--type raid1 -m ${copies - 1} -n a -l 5`)]),
  ),
  "raid1-nosync": create("--type raid1 --nosync -m 1 -n a -l 5"),
  "raid1-region": create("--type raid1 -R 1M -m 1 -n a -l 5"),
  "raid1-writemostly": `${create("--type raid1 -m 1 -n a -l 5")}; lvm lvchange -qq -y --writemostly $2 vg/a`,
  "raid1-long": create("--type raid1 -m 1 -n a -l 60"),
  "raid0-2": create("--type raid0 -i 2 -n a -l 8"),
  "raid0-4": create("--type raid0 -i 4 -I 16k -n a -l 8"),
  "raid0-meta": create("--type raid0_meta -i 2 -n a -l 8"),
  raid4: create("--type raid4 -i 2 -n a -l 8"),
  "raid5-2": create("--type raid5 -i 2 -n a -l 8"),
  "raid5-3": create("--type raid5 -i 3 -I 16k -n a -l 9"),
  "raid5-left": create("--type raid5_la -i 2 -n a -l 8"),
  "raid5-right": create("--type raid5_rs -i 2 -n a -l 8"),
  raid10: create("--type raid10 -i 2 -m 1 -n a -l 8"),
  "raid1-write-behind": `${create("--type raid1 -m 1 -n a -l 5")}; lvm lvchange -qq -y --writemostly $2 --writebehind 64 --minrecoveryrate 100 --maxrecoveryrate 1000 vg/a`,
  "raid1-read-only": `${create("--type raid1 -m 1 -n a -l 5")}; lvm lvchange -qq -pr vg/a`,
  "raid5-left-restart": create("--type raid5_ra -i 2 -n a -l 8"),
  "raid5-parity-last": create("--type raid5_n -i 2 -n a -l 8"),
  ...Object.fromEntries(
    [
      "raid6",
      "raid6_zr",
      "raid6_nr",
      "raid6_nc",
      "raid6_ls_6",
      "raid6_la_6",
      "raid6_rs_6",
      "raid6_ra_6",
      "raid6_n_6",
    ].map((type) => [type, create(`--type ${type} -i 3 -n a -l 9`)]),
  ),
  ...Object.fromEntries(
    ["bitmap", "journal"].map((mode) => [
      `raid1-integrity-${mode}`,
      create(`--type raid1 -m 1 --raidintegrity y --raidintegritymode ${mode} -n a -l 5`),
    ]),
  ),
  "raid1-missing": `${create("--type raid1 -m 1 -n a -l 5")}; ${create("-n b -l 5").replace(/vg$/, "vg $4")}; dd if=/dev/zero of=$2 bs=4k count=256`,
  "read-ahead": `${create("-n a -r 512 -l 5")}; ${create("-n b -r none -l 5")}; ${create("-n c -i 4 -I 512k -l 8")}`,
  "mirror-core": create("--type mirror --mirrorlog core -m 1 -n a -l 5"),
  "mirror-disk": create("--type mirror -m 1 -n a -l 5"),
  "mirror-3": create("--type mirror -m 2 -R 1M -n a -l 5"),
  snapshot: `${create("-n a -l 8")}; lvm lvcreate -qq -y -s -n s -l 4 vg/a`,
  "snapshot-two": `${create("-n a -l 8")}; lvm lvcreate -qq -y -s -n s -l 4 vg/a; lvm lvcreate -qq -y -s -c 16k -p r -n t -l 4 vg/a`,
  "snapshot-of-striped": `${create("-n a -i 2 -l 8")}; lvm lvcreate -qq -y -s -n s -l 4 vg/a`,
  "snapshot-merging": `${create("-n a -l 8")}; lvm lvcreate -qq -y -s -n s -l 4 vg/a; sleep 999 < /dev/mapper/vg-a & lvm lvconvert -qq -y --merge vg/s; kill $!; wait $! || true`,
  "snapshot-of-raid1": `${create("--type raid1 -m 1 -n a -l 5")}; lvm lvcreate -qq -y -s -n s -l 4 vg/a`,
  "thin-external-origin": `${create("-n a -l 8")}; lvm lvchange -qq -an vg/a; lvm lvchange -qq -pr vg/a; lvm lvcreate -qq -y --type thin-pool -n p -l 20 vg; lvm lvcreate -qq -y -s -kn -n b --thinpool vg/p vg/a`,
  "thin-one": "lvm lvcreate -qq -y --type thin-pool -n p -l 20 vg; lvm lvcreate -qq -y -T -V 100M -n a vg/p",
  "thin-two":
    "lvm lvcreate -qq -y --type thin-pool -c 128k -n p -l 20 vg; lvm lvcreate -qq -y -T -V 100M -n a vg/p; lvm lvcreate -qq -y -T -V 10M -n b vg/p",
  "thin-snapshot":
    "lvm lvcreate -qq -y --type thin-pool -n p -l 20 vg; lvm lvcreate -qq -y -T -V 100M -n a vg/p; lvm lvcreate -qq -y -s -kn -n b vg/a",
  "thin-no-discards":
    "lvm lvcreate -qq -y --type thin-pool --discards ignore -n p -l 20 vg; lvm lvcreate -qq -y -T -V 100M -n a vg/p",
  "thin-error-when-full":
    "lvm lvcreate -qq -y --type thin-pool -Zn -n p -l 20 vg; lvm lvchange -qq --errorwhenfull y vg/p; lvm lvcreate -qq -y -T -V 100M -n a vg/p",
  "thin-on-raid1": `${create("--type raid1 -m 1 -n p -l 20")}; ${create("--type raid1 -m 1 -n pm -l 4")}; lvm lvconvert -qq -y --type thin-pool --poolmetadata vg/pm vg/p; lvm lvcreate -qq -y -T -V 50M -n a vg/p`,
  "thin-on-stripes":
    "lvm lvcreate -qq -y --type thin-pool -i 2 -n p -l 20 vg; lvm lvcreate -qq -y -T -V 100M -n a vg/p",
  "thin-nopassdown":
    "lvm lvcreate -qq -y --type thin-pool --discards nopassdown -n p -l 20 vg; lvm lvcreate -qq -y -T -V 100M -n a vg/p",
  "cache-writeback": `${create("-n a -l 8")}; lvm lvcreate -qq -y --type cache-pool --cachemode writeback --chunksize 512k -n c -l 8 vg; lvm lvconvert -qq -y --type cache --cachepool vg/c vg/a`,
  "cache-settings": `${create("-n a -l 8")}; lvm lvcreate -qq -y --type cache-pool -n c -l 8 vg; lvm lvconvert -qq -y --type cache --cachepool vg/c --cachesettings migration_threshold=4096 vg/a`,
  "cache-format-1": `${create("-n a -l 8")}; lvm lvcreate -qq -y --type cache-pool --cachemetadataformat 1 -n c -l 8 vg; lvm lvconvert -qq -y --type cache --cachepool vg/c vg/a`,
  "cache-of-raid1": `${create("--type raid1 -m 1 -n a -l 5")}; lvm lvcreate -qq -y --type cache-pool -n c -l 8 vg; lvm lvconvert -qq -y --type cache --cachepool vg/c vg/a`,
  "cache-pool": `${create("-n a -l 8")}; lvm lvcreate -qq -y --type cache-pool -n c -l 8 vg; lvm lvconvert -qq -y --type cache --cachepool vg/c vg/a`,
  "cache-volume": `${create("-n a -l 8")}; ${create("-n c -l 16")}; lvm lvconvert -qq -y --type cache --cachevol vg/c vg/a`,
  writecache: `${create("-n a -l 8")}; ${create("-n c -l 16")}; lvm lvchange -qq -an vg/a vg/c; lvm lvconvert -qq -y --type writecache --cachevol vg/c vg/a`,
  "writecache-settings": `${create("-n a -l 8")}; ${create("-n c -l 16")}; lvm lvchange -qq -an vg/a vg/c; lvm lvconvert -qq -y --type writecache --cachevol vg/c --cachesettings "block_size=512 high_watermark=60 autocommit_time=500" vg/a`,
};

// A layout that this kernel or lvm2 refuses leaves a file NAME.refused.
const script = (name: string, commands: string) => `
  lvm pvcreate -qq -ff -y $1 $2 $3 $4 $5; lvm vgcreate -qq -s 1M vg $1 $2 $3 $4 $5
  lvm pvs --noheadings -o pv_uuid,pv_name > /out/${name}.pvs
  if ( set -e; ${commands} ) > /out/${name}.refused 2>&1 && lvm vgchange -qq -an vg && lvm vgcfgbackup -qq -f /out/${name}.vg vg && lvm vgchange -qq -ay --poll n --activationmode degraded vg
  then dmsetup table > /out/${name}.table || true; dmsetup info -c --noheadings --separator ' ' -o major,minor,attr,name,uuid,read_ahead > /out/${name}.info || true
    rm /out/${name}.refused
  fi
  lvm vgchange -qq -an vg; lvm vgreduce -qq --removemissing --force vg; lvm vgremove -qq -y -ff vg; dmsetup remove_all; dmsetup info -c --noheadings -o name >> /out/left`;

const KINDS = ["vg", "table", "info", "pvs"] as const;

/** Returns what lvm2 makes of each layout, by its name: "vg" is the text, "table" and "info" what dmsetup says after `vgchange -ay`, "pvs" the physical volumes. */
async function recordLayouts(
  names: readonly string[],
): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
  const directory = scratchDirectory();
  const result = join(directory, "result.tar");
  await makeInGuest({
    name: "layouts of volume groups",
    kernel: "full",
    disks: [
      ...DISKS.map((serial) => ({ serial, file: join(directory, serial), mib: 64 })),
      { serial: "result", file: result, mib: 8 },
    ],
    modules: [
      "dm-mod",
      "dm-raid",
      "dm-thin-pool",
      "dm-snapshot",
      "dm-mirror",
      "dm-cache-smq",
      "dm-writecache",
      "dm-integrity",
    ],
    programs: ["/usr/sbin/lvm", "/sbin/dmsetup"],
    files: {
      "/etc/lvm/lvm.conf": {
        text: `${LVM_CONF} global { cache_check_executable="" } allocation { wipe_signatures_when_zeroing_new_lvs=0 }`,
      },
    },
    script: `
      mkdir /out; set -- ${DISKS.map((serial) => `$(device ${serial})`).join(" ")}
      ${names.map((name) => script(name, LAYOUTS[name] ?? "")).join("\n")}
      tar -cf $(device result) -C /out .`,
  });
  await runScript('cd "$1"; tar -xf result.tar; rm -f layout? result.tar', [directory]);
  const read = (name: string, kind: string) => readFileSync(join(directory, `${name}.${kind}`), "latin1");
  for (const name of names)
    if (existsSync(join(directory, `${name}.refused`))) console.log(name, read(name, "refused"));
  const made = names.filter((name) => existsSync(join(directory, `${name}.table`)));
  return Object.fromEntries(
    made.map((name) => [name, Object.fromEntries(KINDS.map((kind) => [kind, read(name, kind)]))]),
  );
}

// `bun test/support/lvm-layouts.ts` records those that have not been recorded, or those whose names match an expression. A layout takes seconds.
if (import.meta.main) {
  const file = join(import.meta.dir, "../corpus/lvm/layouts.json");
  const before = JSON.parse(readFileSync(file, "utf8"));
  const [, , wanted] = process.argv;
  const isWanted = (name: string) => (wanted === undefined ? !(name in before) : new RegExp(wanted).test(name));
  const recorded = { ...before, ...(await recordLayouts(Object.keys(LAYOUTS).filter(isWanted))) };
  const sorted = Object.keys(recorded)
    .sort()
    .map((name) => [name, recorded[name]]);
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(sorted), null, 1)}\n`);
}
