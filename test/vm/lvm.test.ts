import { expect } from "bun:test";
import { levainGuest } from "../support/levain-guest.ts";
import { type LvmLabel, lvmDisks } from "../support/lvm-disks.ts";
import { SCENARIOS } from "../support/reach/scenarios.ts";
import { vmTest } from "../support/vm-test.ts";

const guest = async (label: LvmLabel, cmdline: string) => levainGuest({ disks: await lvmDisks(label), cmdline });

vmTest(
  "a root in a logical volume over two disks is activated alone, with LVM's names",
  () => SCENARIOS.LVM.guest("cloud"),
  SCENARIOS.LVM.body,
);

vmTest(
  "a mirrored root is activated although one disk returns read errors and the metadata of another are damaged",
  async () => {
    const [first = "", second = "", third = ""] = await lvmDisks("RAID");
    return levainGuest({
      disks: [first, { file: second, failsReads: true }, third],
      cmdline: "root=/dev/rvg/root rw rd.lvm.partial rd.timeout=15",
    });
  },
  async (vm) => {
    await vm.expect(/LVM on \/dev\/vdc: metadata area at 4096: not a metadata area/);
    await vm.expect(/the volume group "rvg": 2 of 3 physical volumes are present/);
    await vm.expect(/^ {2}root +\/dev\/mapper\/rvg-root ext4 "RAID"/m);
    await vm.expect("small-root: ready");
    expect(vm.log()).toContain("/dev/vdb cannot be read");
    vm.send("touch /x && sync; cat /sys/block/dm-*/dm/name | sort | tr '\\n' ' '; echo all-$((40 + 2))\n");
    await vm.expect(
      "rvg-root rvg-root_rimage_0 rvg-root_rimage_1 rvg-root_rimage_1-missing_0_0 rvg-root_rmeta_0 rvg-root_rmeta_1 rvg-root_rmeta_1-missing_0_0 all-42",
    );
  },
);

vmTest(
  "a thin root is found by its label, and lvm2 of the real system finds what levain activated as its own",
  () => guest("THIN", "root=LABEL=THIN rw"),
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/mapper\/tvg-root ext4 "THIN"/m);
    await vm.expect("small-root: ready");
    vm.send(
      "export DM_DISABLE_UDEV=1; dmsetup table | sort > /run/before; dmsetup info -c --noheadings --separator : -o name,uuid | sort\n",
    );
    await vm.expect(
      /tvg-pool-tpool:LVM-\w{64}-tpool\s+tvg-pool_tdata:LVM-\w{64}-tdata\s+tvg-pool_tmeta:LVM-\w{64}-tmeta\s+tvg-root:LVM-\w{64}\s/,
    );
    vm.send("lvm lvchange -ay tvg/root; dmsetup table | sort | diff /run/before - && echo same-$((40 + 2))\n");
    await vm.expect("same-42");
    vm.send(
      "lvm vgs --noheadings -o vg_name,vg_attr; lvm pvs --noheadings -o vg_name; lvm lvs -a --noheadings -o lv_name,lv_attr; echo all-$((41 + 1))\n",
    );
    await vm.expect(/^ *tvg +wz--n-\s+tvg\s/m);
    await vm.expect(/^ *pool +twi---tz--|^ *pool +twi-aotz--/m);
    await vm.expect(/^ *root +Vwi-aotz--/m);
    await vm.expect("all-42");
    // The other volumes follow as in any boot.
    vm.send("lvm vgchange -ay tvg; dmsetup ls | cut -f1 | sort | tr '\\n' ' '; echo end-$((40 + 2))\n");
    await vm.expect(/tvg-data tvg-data-real tvg-old tvg-old-cow tvg-pool .*end-42/);
    expect(vm.log()).not.toMatch(/WARNING|[Ii]nconsistent|mismatch/);
    // Process 1 keeps the root, and what that lies on.
    vm.send("/run/initramfs/shutdown unmount; dmsetup ls | cut -f1 | sort | tr '\\n' ' '; echo left-$((40 + 2))\n");
    await vm.expect(/^tvg-pool-tpool tvg-pool_tdata tvg-pool_tmeta tvg-root left-42/m);
  },
);
