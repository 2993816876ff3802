// Compares levain with lvm2 in groups of many parts, and among 500 disks of SCSI: `node_modules/.bin/bun bench/groups.ts [REGEXP]`.
// QEMU's clock counts instructions. levain's time is that of its step `root`, with all disks attached before; then, in the shell of the
// same guest, `vgchange -ay` activates the group, and blkid looks at every disk.
import { realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey, scratchDirectory } from "../test/support/cache.ts";
import { guestPrograms } from "../test/support/guest-programs.ts";
import { PROMPT } from "../test/support/levain-guest.ts";
import { levainImage } from "../test/support/levain-image.ts";
import { LVM_CONF } from "../test/support/lvm-disks.ts";
import { makeInGuest } from "../test/support/maker-guest.ts";
import { boot } from "../test/support/qemu.ts";
import { smallRoot } from "../test/support/root-tree.ts";
import "../test/support/test-programs.ts";
import { furtherDisks } from "./scenes.ts";
import { align } from "./table.ts";

const WAIT_MS = 900_000;
const [LVM, BLKID] = ["/usr/sbin/lvm", "/sbin/blkid"];

/** Adds volumes of one extent to the backup of a group: with lvcreate, each would be written on its own. */
const MORE_VOLUMES = `
  lvm vgcfgbackup -f /tmp/before bench
  awk '{ print } /^\\tlogical_volumes / {
    for (i = 0; i < 999; i++) {
      printf "v%d {\\nid = \\"%06d-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\\"\\nstatus = [\\"READ\\", \\"WRITE\\", \\"VISIBLE\\"]\\nflags = []\\n", i, i
      printf "creation_time = 1\\ncreation_host = \\"bench\\"\\nsegment_count = 1\\nsegment1 {\\nstart_extent = 0\\nextent_count = 1\\n"
      printf "type = \\"striped\\"\\nstripe_count = 1\\nstripes = [\\n\\"pv0\\", %d\\n]\\n}\\n}\\n", 1000 + i
    }
  }' /tmp/before > /tmp/after
  lvm vgchange -an bench; lvm vgcfgrestore -f /tmp/after bench; lvm lvchange -ay bench/root`;

interface Group {
  readonly members: number;
  readonly memberMib: number;
  /** How lvcreate is told the size of the root. */
  readonly root: string;
  readonly more?: string;
  /** Disks that are no part of the group. */
  readonly others?: number;
}

const MANY = { members: 64, memberMib: 8, root: "-l 100%FREE" } as const;
const GROUPS: Readonly<Record<string, Group>> = {
  "8 physical volumes": { members: 8, memberMib: 16, root: "-i 8 -L 32M" },
  "1000 logical volumes": { members: 1, memberMib: 160, root: "-L 32M", more: MORE_VOLUMES },
  "64 physical volumes": MANY,
  "64 physical volumes among 500 disks": { ...MANY, others: 436 },
};

/** Returns QEMU's arguments for the group, a disk of SCSI for each physical volume, and the other disks beside them. */
async function groupDisks({ members, memberMib, root, more = "", others = 0 }: Group): Promise<string[]> {
  const script = `
    (echo label: gpt; for n in $(seq ${members}); do echo size=${memberMib}MiB; done) | sfdisk -q $(device disk)
    lvm vgcreate -y -s 64k --metadatasize 2m bench $(device disk)[0-9]*
    lvm lvcreate -y -n root ${root} bench
    ${more}
    mkfs.ext4 -q -L BENCH -d /tree /dev/mapper/bench-root; sync; lvm vgchange -an bench`;
  const tree = await smallRoot();
  const directory = await cached("bench-groups", recipeKey(script, tree), (target) =>
    makeInGuest({
      name: "volume groups for the bench",
      disks: [{ serial: "disk", file: join(target, "disk"), mib: members * memberMib + 2 }],
      modules: ["dm-mod"],
      programs: [LVM, "/sbin/sfdisk", "/sbin/mkfs.ext4"],
      files: { "/etc/lvm/lvm.conf": { text: LVM_CONF } },
      tree,
      script,
    }),
  );
  const slices = Array.from({ length: members }, (_, lun) => {
    const place = `offset=${(1 + lun * memberMib) << 20},size=${memberMib << 20}`;
    const drive = `if=none,id=pv${lun},format=raw,${place},snapshot=on,file=${join(directory, "disk")}`;
    const device = { driver: "scsi-hd", bus: "scsi.0", drive: `pv${lun}`, "scsi-id": 0, lun };
    return ["-drive", drive, "-device", JSON.stringify(device)];
  }).flat();
  const controller = JSON.stringify({ driver: "virtio-scsi-pci", id: "scsi" });
  return ["-device", controller, ...slices, ...(await furtherDisks(others))];
}

async function imageWithLvm(): Promise<string> {
  const configuration = join(scratchDirectory(), "lvm.conf");
  writeFileSync(configuration, LVM_CONF);
  const programs = Object.entries(await guestPrograms(LVM, BLKID));
  const files = programs.flatMap(([path, entry]) =>
    "file" in entry ? [[path, realpathSync(entry.file)] as const] : [],
  );
  return levainImage({ files: { ...Object.fromEntries(files), "/etc/lvm/lvm.conf": configuration }, compress: "zstd" });
}

/** A function of the shell that prints the guest's clock and the time that its CPU was busy, which a slow disk of a busy host does not change. */
const SAMPLE = `sample() {
  read up rest < /proc/uptime; read cpu user nice system idle wait irq soft rest < /proc/stat
  echo bench-$1 $up $((user + nice + system + irq + soft))
}`;
// Without hints about the disks that are physical volumes, which no boot has yet.
const COMPARED = [
  "export DM_DISABLE_UDEV=1; dmesg -n 1; lvm vgchange -an bench",
  "sample begin; lvm vgchange -ay --nohints bench > /dev/null; sample active; blkid -c /dev/null > /dev/null; sample seen",
].join("; ");

/** Seconds of the guest's clock, and of its CPU. */
type Cost = readonly [clock: number, cpu: number];

async function measure(name: string, initrd: string, group: Group, root: string): Promise<readonly Cost[]> {
  const cmdline = `root=${root} rd.break=root,mount ro`;
  const extra = await groupDisks(group);
  const vm = await boot({ name: `bench ${name}`, initrd, extra, cmdline, memoryMib: 1024, icount: true });
  try {
    await vm.expect(PROMPT, WAIT_MS);
    const disks = group.members + (group.others ?? 0);
    vm.send(`${SAMPLE}\nuntil [ $(ls -d /sys/block/sd* | wc -l) = ${disks} ]; do sleep 1; done; sample start; exit\n`);
    await vm.expect(/^ {2}root +\/dev[\s\S]*? \d+ ms$/m, WAIT_MS);
    await vm.expect(PROMPT, WAIT_MS);
    vm.send(`${SAMPLE}\nsample root; ${COMPARED}; echo all-$((40 + 2))\n`);
    await vm.expect("all-42", WAIT_MS);
    const samples = new Map(
      [...vm.log().matchAll(/^bench-(\w+) ([\d.]+) (\d+)$/gm)].map(([, at = "", clock, cpu]) => [
        at,
        [Number(clock), Number(cpu) / 100] as const,
      ]),
    );
    const between = (from: string, to: string): Cost => {
      const [[clock, cpu], [end, used]] = [samples.get(from) ?? [0, 0], samples.get(to) ?? [Number.NaN, Number.NaN]];
      return [end - clock, used - cpu];
    };
    return [between("start", "root"), between("begin", "active"), between("active", "seen")];
  } finally {
    console.error(`console log: ${vm.keepLog()}`);
    await vm.stop();
  }
}

const image = await imageWithLvm();
const [part = ""] = process.argv.slice(2);
const rows: string[][] = [];
for (const [name, group] of Object.entries(GROUPS).filter(([one]) => new RegExp(part).test(one))) {
  // A path names one volume; a label may be that of any.
  for (const root of ["LABEL=BENCH", "/dev/bench/root"]) {
    const costs = await measure(name, image, group, root);
    rows.push([name, root, ...costs.map(([clock, cpu]) => `${cpu.toFixed(2)} (${clock.toFixed(2)})`)]);
    console.error(rows.at(-1)?.join(" "));
  }
}
console.log(
  align([
    ["seconds of the CPU (and of the clock)", "`root=`", "levain, step `root`", "`vgchange -ay`", "blkid"],
    ["---", "---", "---:", "---:", "---:"],
    ...rows,
  ]),
);
