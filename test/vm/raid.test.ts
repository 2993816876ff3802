import { expect } from "bun:test";
import { realpathSync } from "node:fs";
import { rootImage } from "../support/filesystem-images.ts";
import { guestPrograms } from "../support/guest-programs.ts";
import { levainGuest } from "../support/levain-guest.ts";
import type { LevainImageOptions } from "../support/levain-image.ts";
import { type RaidLabel, raidDisks } from "../support/raid-disks.ts";
import { SCENARIOS } from "../support/reach/scenarios.ts";
import { vmTest } from "../support/vm-test.ts";

const guest = async (label: RaidLabel, cmdline: string, present?: readonly number[], image?: LevainImageOptions) => {
  const disks = await raidDisks(label);
  return levainGuest({
    disks: disks.filter((_, index) => present?.includes(index) ?? true),
    cmdline,
    image: image ?? {},
  });
};

/** With mdadm(8) and its monitor for the arrays of controllers. */
async function imageWithMdadm(): Promise<LevainImageOptions> {
  const programs = Object.entries(await guestPrograms("/usr/sbin/mdadm", "/usr/sbin/mdmon"));
  const files = Object.fromEntries(
    programs.flatMap(([path, entry]) => ("file" in entry ? [[path, realpathSync(entry.file)]] : [])),
  );
  return { words: ["--module", "raid1"], files };
}

vmTest(
  "a root on a mirror is found at once, and /dev/md has its name",
  () => SCENARIOS["RAID 1"].guest("cloud"),
  SCENARIOS["RAID 1"].body,
);

vmTest(
  "a RAID 5 that lacks a member is started when that has been waited for",
  () => guest("FIVE", "root=LABEL=FIVE rd.timeout=6", [0, 2]),
  async (vm) => {
    await vm.expect(/waiting for the array ".*" \(RAID 5\): 2 of 3 members are present: member 1 is missing/);
    await vm.expect(/warning +the array ".*" \(RAID 5\) is degraded: 2 of 3 members are present/);
    await vm.expect("small-root: mount / ext4 /dev/md9 ro");
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "a RAID 10 is started by the superblocks at the start of its members",
  () => guest("TEN", "root=LABEL=TEN"),
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/md9 ext4 "TEN"/m);
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "a partition of an array is the root",
  () => guest("PARTED", "root=LABEL=PARTED"),
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/md9p1 ext4 "PARTED"/m);
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "a member that was absent is left out, and named",
  () => guest("STALE", "root=LABEL=STALE rd.timeout=6"),
  async (vm) => {
    await vm.expect(/\/dev\/vdb is out of date: the array ".*" \(RAID 1\) was written to without it/);
    await vm.expect("small-root: ready");
    vm.send("cat /new; grep -o '\\[U_\\]' /proc/mdstat; echo all-$((40 + 2))\n");
    await vm.expect("\nnew\n[U_]\nall-42");
  },
);

vmTest(
  "a mirror of DDF that lacks a member is started by mdadm of the image, which keeps it writable",
  async () => guest("DDF", "root=LABEL=DDF rw rd.timeout=20", [0], await imageWithMdadm()),
  async (vm) => {
    await vm.expect(/waiting for the members of an array of a controller \(DDF\), \d+ of \d+/);
    await vm.expect(/^ {2}root +\/dev\/md\d+ ext4 "DDF" in \/dev\/vda ddf_raid_member/m);
    await vm.expect("small-root: ready");
    vm.send("touch /x && sync && echo written-$((40 + 2)); cat /proc/mdstat\n");
    await vm.expect("written-42");
    await vm.expect(/active raid1 vda\[\d\][\s\S]*super external/);
  },
);

vmTest(
  "an array of DDF that was started while the root was absent is stopped before the handover, and its monitor ends",
  async () => {
    const late = { file: await rootImage("ext4", { label: "LATE" }), id: "late", unplugged: true };
    const disks = [...(await raidDisks("DDF")), late];
    return levainGuest({ disks, cmdline: "root=LABEL=LATE loglevel=7", image: await imageWithMdadm() });
  },
  async (vm) => {
    await vm.expect(/md\/raid1:md\d+: active with 2 out of 2 mirrors/);
    await vm.plug("late");
    await vm.expect("small-root: ready");
    vm.send("cat /proc/mdstat; ls /sys/block; cat /proc/[0-9]*/comm; echo all-$((40 + 2))\n");
    const [state] = await vm.expect(/Personalities[\s\S]*all-42/);
    expect(state).not.toMatch(/md\d|mdmon/);
  },
);
