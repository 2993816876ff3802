import { expect } from "bun:test";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

/** Enough for the kernel's own look at the partition table within a minute, and far too little for a probe. */
const SLOW_BYTES_PER_SECOND = 2048;

vmTest(
  "a disk that hardly answers holds up neither the root on another disk nor the handover",
  async () =>
    levainGuest({
      disks: [
        { file: await rootImage("ext4", { label: "OTHER" }), bytesPerSecond: SLOW_BYTES_PER_SECOND },
        { file: await rootImage("ext4", { label: "ROOT" }), id: "root", unplugged: true },
      ],
      cmdline: "root=LABEL=ROOT rd.timeout=900",
    }),
  async (vm) => {
    // On a busy host, the other disk would be found before this one has been silent for a second.
    await vm.expect(/\/dev\/vda \([^)]*has not answered yet/);
    await vm.plug("root");
    await vm.expect(/^ {2}root +\/dev\/vdb ext4 "ROOT" +(\d+) ms$/m);
    await vm.expect("small-root: ready");
    // Without a second process for the reads, the boot waits for each of them: more than a minute.
    expect(vm.log()).not.toContain("/dev/vda answered");
  },
);

vmTest(
  "a disc that is inserted while levain waits is found, and one that is exchanged; the kernel's polling ends with the wait; the watchdog resets no slow boot, but one that hangs",
  async () =>
    levainGuest({
      image: { kernel: "full", config: 'parameters = ["rd.watchdog=15"]' },
      disks: [{ file: "", bus: "cdrom", id: "cd", isEmpty: true }],
      cmdline: "root=LABEL=ROOT rd.timeout=900 rd.break=mount",
      extra: ["-device", "i6300esb"],
      memoryMib: 768,
    }),
  async (vm) => {
    const insert = (filename: string) =>
      vm.monitor("blockdev-change-medium", { id: "cd", filename, format: "raw", "read-only-mode": "read-only" });
    await vm.expect("waiting for LABEL=ROOT");
    await vm.pause(16_000);
    await insert(await rootImage("ext4", { label: "OTHER" }));
    await vm.expect('/dev/sr0 ext4 "OTHER"');
    await insert(await rootImage("ext4", { label: "ROOT" }));
    await vm.expect(/^ {2}root +\/dev\/sr0 ext4 "ROOT" +\d+ ms$/m);
    await vm.expect("levain:/#");
    vm.send("cat /sys/module/block/parameters/events_dfl_poll_msecs; echo end-of-file\n");
    await vm.expect(/^0\nend-of-file$/m);
    vm.send("kill -STOP $PPID\n");
    expect(await vm.expectExit()).toMatchObject({ reason: "guest-reset" });
  },
);
