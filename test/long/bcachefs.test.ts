import { bcachefsPool } from "../support/bcachefs-pool.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

const image = { kernel: "trixie" } as const;

vmTest(
  "a bcachefs of two disks is named while one is missing, and mounted when both are present",
  async () => {
    const [first, second] = await bcachefsPool();
    const disks = [{ file: first }, { file: second, id: "late", unplugged: true }];
    return levainGuest({ image, disks, cmdline: "root=LABEL=POOL rw rd.timeout=900" });
  },
  async (vm) => {
    await vm.expect('seen: 1 of 2 devices of bcachefs "POOL" is present: /dev/vda');
    await vm.plug("late");
    await vm.expect(/^ {2}root +\/dev\/vd[ab] bcachefs "POOL" +\d+ ms$/m);
    await vm.expect(/small-root: mount \/ bcachefs \/dev\/vd[ab]:\/dev\/vd[ab] rw/);
    await vm.expect("small-root: ready");
    vm.send("ls -d /sys/fs/bcachefs/*/dev-*/block | wc -l; touch /x && sync && echo written-$((40 + 2))\n");
    await vm.expect("\n2\nwritten-42");
  },
);

vmTest(
  "a bcachefs that lacks a disk boots with degraded",
  async () => {
    // Of the root's data, `bcachefs format --source` keeps one copy, which lies there.
    const [first] = await bcachefsPool();
    return levainGuest({ image, disks: [first], cmdline: "root=LABEL=POOL ro rootflags=degraded rd.timeout=900" });
  },
  async (vm) => {
    await vm.expect(/small-root: mount \/ bcachefs \/dev\/vda ro,.*degraded/);
    await vm.expect("small-root: ready");
  },
);
