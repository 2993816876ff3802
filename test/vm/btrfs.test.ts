import { btrfsPool } from "../support/btrfs-pool.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

vmTest(
  "a btrfs of two disks is mounted, by subvolume, when both are there: one was unplugged before the other appeared",
  async () => {
    const [first = "", second = ""] = await btrfsPool("POOL");
    return levainGuest({
      disks: [
        { file: first, id: "pulled" },
        // Takes the first one's number: what is gone would be forgotten by the kernel were it the other member's.
        { file: await rootImage("ext4", { label: "OTHER" }), id: "other", unplugged: true },
        { file: second, id: "late", unplugged: true },
        { file: first, id: "again", unplugged: true },
      ],
      // The guest waits while this host works on, however busy that is.
      cmdline: "root=LABEL=POOL rootflags=subvol=@root,noatime rd.timeout=900",
    });
  },
  async (vm) => {
    await vm.expect(
      /waiting for LABEL=POOL, \d+ of 900 s · seen: 1 of 2 devices of btrfs "POOL" is present: \/dev\/vda$/m,
    );
    await vm.unplug("pulled");
    await vm.expect("seen: no block device yet");
    await vm.plug("other");
    await vm.expect('seen: /dev/vda ext4 "OTHER"');
    await vm.plug("late");
    await vm.expect(/seen: 1 of 2 devices of btrfs "POOL" is present: \/dev\/vdb\b/);
    await vm.plug("again");
    await vm.expect(/^ {2}root +\/dev\/vd[bc] btrfs "POOL" +\d+ ms$/m);
    await vm.expect(/small-root: mount \/ btrfs \/dev\/vd[bc] ro,noatime,.*subvol=\/@root/);
    await vm.expect("small-root: ready");
    vm.send("dmesg | grep -ci 'missing'; grep -c . /sys/fs/btrfs/*/devices/*/size | wc -l; echo all-$((40 + 2))\n");
    await vm.expect("\n0\n2\nall-42");
  },
);

vmTest(
  "an incomplete btrfs is reported with the number of its devices, and boots degraded if asked to",
  async () => {
    const [first = "", , third = ""] = await btrfsPool("TRIO");
    return levainGuest({
      disks: [first, third],
      cmdline: "root=LABEL=TRIO rootflags=subvol=@root rd.timeout=12",
    });
  },
  async (vm) => {
    await vm.expect("could not find the root device");
    await vm.expect('only 2 of 3 devices of btrfs "TRIO" are present: /dev/vda, /dev/vdb');
    await vm.expect(/add\s+degraded\s+to\s+rootflags=/);
    await vm.expect(PROMPT);
    vm.send("levain retry rootflags=subvol=@root,degraded\n");
    await vm.expect(/small-root: mount \/ btrfs \/dev\/vd[ab] ro,.*degraded/);
    await vm.expect("small-root: ready");
  },
);
