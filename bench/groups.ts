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
  awk '{ print } /^\\tlogical_volumes {/ {
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

// The kernel's log has the times of the guest's clock.
const timed = (name: string, command: string) =>
  `echo bench-${name} > /dev/kmsg; ${command} > /dev/null; echo bench-end > /dev/kmsg`;
const COMPARED = [
  timed("vgchange", "lvm vgchange -ay bench"),
  timed("blkid", "blkid -c /dev/null"),
  "lvm vgchange -an bench",
];

/** Milliseconds in one guest. */
interface Times {
  readonly root: number;
  readonly vgchange: number;
  readonly blkid: number;
}

async function measure(name: string, initrd: string, group: Group, root: string): Promise<Times> {
  const cmdline = `root=${root} rd.break=root,mount ro`;
  const extra = await groupDisks(group);
  const vm = await boot({ name: `bench ${name}`, initrd, extra, cmdline, memoryMib: 1024, icount: true });
  try {
    await vm.expect(PROMPT, WAIT_MS);
    const disks = group.members + (group.others ?? 0);
    vm.send(`until [ $(ls -d /sys/block/sd* | wc -l) = ${disks} ]; do sleep 1; done; exit\n`);
    const [, step = ""] = await vm.expect(/^ {2}root +\/dev[\s\S]*? (\d+) ms$/m, WAIT_MS);
    await vm.expect(PROMPT, WAIT_MS);
    vm.send(
      `export DM_DISABLE_UDEV=1; dmesg -n 1; lvm vgchange -an bench; ${COMPARED.join("; ")}; dmesg | grep bench-; echo all-$((40 + 2))\n`,
    );
    const [text] = await vm.expect(/[\s\S]*all-42/, WAIT_MS);
    const notes = [...text.matchAll(/\[ *(\d+\.\d+)\] bench-(\w+)/g)].map(([, seconds, note]) => ({
      ms: Number(seconds) * 1000,
      note,
    }));
    const after = (note: string) => {
      const index = notes.findIndex((one) => one.note === note);
      return (notes[index + 1]?.ms ?? Number.NaN) - (notes[index]?.ms ?? Number.NaN);
    };
    return { root: Number(step), vgchange: after("vgchange"), blkid: after("blkid") };
  } finally {
    console.error(`console log: ${vm.keepLog()}`);
    await vm.stop();
  }
}

const image = await imageWithLvm();
const [part = ""] = process.argv.slice(2);
const rows: string[][] = [];
for (const [name, group] of Object.entries(GROUPS).filter(([one]) => new RegExp(part).test(one))) {
  for (const root of ["/dev/bench/root", "LABEL=BENCH"]) {
    const times = await measure(name, image, group, root);
    rows.push([name, root, ...[times.root, times.vgchange, times.blkid].map((ms) => ms.toFixed(0))]);
    console.error(rows.at(-1)?.join(" "));
  }
}
console.log(
  align([
    ["", "`root=`", "levain, step `root`, ms", "`vgchange -ay`, ms", "blkid, ms"],
    ["---", "---", "---:", "---:", "---:"],
    ...rows,
  ]),
);
