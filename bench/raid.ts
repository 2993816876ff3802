// Compares how long levain and `mdadm -A` take to assemble a RAID 6 of 8 members, in the same guest: `bun bench/raid.ts`. QEMU's clock
// counts instructions, so other work of the host does not matter. The modules are loaded before. levain's time is that of its step
// `root`, which lists and probes all disks and finds the label in the array; mdadm's that of the program.
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "../test/support/cache.ts";
import { guestPrograms } from "../test/support/guest-programs.ts";
import { levainImage } from "../test/support/levain-image.ts";
import { type MakerDisk, makeInGuest } from "../test/support/maker-guest.ts";
import { boot } from "../test/support/qemu.ts";
import { smallRoot } from "../test/support/root-tree.ts";
import { align, median } from "./table.ts";

const MEMBERS = 8;
const MIB = 32;
const UUID = "be9c40de:00000000:00000000:00000008";
const RUNS = 5;
const TIMEOUT_MS = 400_000;
const STEP = /^ {2}root +\/dev\/md\S+ ext4 "EIGHT"[\s\S]*? (\d+) ms$/m;

/** The members of the array, with a small root in an ext4. */
async function makeDisks(): Promise<readonly string[]> {
  const tree = await smallRoot();
  const names = Array.from({ length: MEMBERS }, (_, index) => `eight-${index}`);
  const devices = names.map((name) => `$(device ${name})`).join(" ");
  const directory = await cached("bench-raid", recipeKey(readFileSync(import.meta.path, "utf8"), tree), (target) =>
    makeInGuest({
      name: "an array of 8 members",
      disks: names.map((name): MakerDisk => ({ serial: name, file: join(target, name), mib: MIB })),
      modules: ["raid456"],
      programs: ["/usr/sbin/mdadm", "/sbin/mkfs.ext4"],
      tree,
      script: `mdadm -q --create /dev/md9 --run --homehost=maker --name=eight --uuid=${UUID} --metadata=1.2 --level=6 \
        --raid-devices=${MEMBERS} --assume-clean ${devices} </dev/null
        mkfs.ext4 -q -L EIGHT -d /tree /dev/md9; sync; mdadm -q --wait-clean /dev/md9; mdadm -q --stop /dev/md9`,
    }),
  );
  return names.map((name) => join(directory, name));
}

const programs = Object.entries(await guestPrograms("/usr/sbin/mdadm"));
const files = programs.flatMap(([path, entry]) => ("file" in entry ? [[path, realpathSync(entry.file)] as const] : []));
const disks = await makeDisks();
const vm = await boot({
  name: "bench-raid",
  initrd: await levainImage({ files: Object.fromEntries(files), words: ["--module", "raid456"], compress: "zstd" }),
  disks: disks.map((file) => ({ file })),
  cmdline: "root=LABEL=EIGHT rd.break=mount rd.modules=raid456 ro",
  icount: true,
  memoryMib: 512,
});
const assembled = async (): Promise<number> => Number((await vm.expect(STEP, TIMEOUT_MS))[1]);
try {
  const first = await assembled();
  await vm.expect("levain:/#", TIMEOUT_MS);
  // The kernel's log has the times of the guest's clock.
  const once = `echo bench-begin > /dev/kmsg; mdadm -q -A /dev/md9 --uuid=${UUID}; echo bench-end > /dev/kmsg; grep -c 'active raid6' /proc/mdstat; mdadm -q -S /dev/md9`;
  vm.send(
    `dmesg -n 1; mdadm -q -S /dev/md127; for run in $(seq ${RUNS}); do ${once}; done; dmesg | grep bench-; echo all-$((40 + 2))\n`,
  );
  const [text] = await vm.expect(/[\s\S]*all-42/, TIMEOUT_MS);
  if (text.match(/^1$/gm)?.length !== RUNS) throw new Error(`mdadm did not assemble it:\n${text}`);
  const times = [...text.matchAll(/\[ *(\d+\.\d+)\] bench-(?:begin|end)/g)].map(
    ([, seconds]) => Number(seconds) * 1000,
  );
  const mdadm = Array.from({ length: RUNS }, (_, run) => (times[2 * run + 1] ?? Number.NaN) - (times[2 * run] ?? 0));
  vm.send("levain retry root=LABEL=EIGHT ro\n");
  const again = await assembled();
  const ms = (value: number | null | undefined) => `${(value ?? Number.NaN).toFixed(0)} ms`;
  console.log(
    align([
      [`RAID 6 of ${MEMBERS} members`, "icount"],
      ["---", "---:"],
      ["mdadm -A, first", ms(mdadm[0])],
      [`mdadm -A, median of ${RUNS}`, ms(median(mdadm))],
      ["levain, step `root`", ms(first)],
      ["levain, the same again from the rescue shell", ms(again)],
    ]),
  );
} finally {
  console.error(`console log: ${vm.keepLog()}`);
  await vm.stop();
}
