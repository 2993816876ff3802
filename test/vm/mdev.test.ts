import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask } from "../support/ask.ts";
import { scratchDirectory } from "../support/cache.ts";
import { flashStick } from "../support/disk-images.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { type LevainGuest, levainGuest, PROMPT } from "../support/levain-guest.ts";
import { compileStatic } from "../support/packed-program.ts";
import { type VmTestOptions, vmTest } from "../support/vm-test.ts";

const WATCHER = "/no-devtmpfs";

const GROUPS = ["root:x:0:", "tty:x:5:", "disk:x:6:"];

/** A guest whose kernel cannot mount a devtmpfs, with these lines in the image's /etc/mdev.conf. */
async function guest({ image, cmdline = "", ...rest }: LevainGuest, config = ""): Promise<VmTestOptions> {
  const lines = join(scratchDirectory(), "mdev.conf");
  writeFileSync(lines, config);
  const group = join(scratchDirectory(), "group");
  writeFileSync(group, GROUPS.map((line) => `${line}\n`).join(""));
  const files = { [WATCHER]: await compileStatic("no-devtmpfs.c"), "/etc/mdev.conf": lines, "/etc/group": group };
  return levainGuest({ ...rest, image: { ...image, files }, cmdline: `rdinit=${WATCHER} ${cmdline}` });
}

const CONFIG = `# as BusyBox's mdev has it
vd[a-z][0-9]* root:disk 0640
console 0:tty 0622
tty([0-9]+) root:tty 0620 >vc/%1
@10,237 root:disk 0600
rtc0 root:root 0 !
$MODALIAS=.* root:root 660 @modprobe "$MODALIAS"
`;

/** For the root's shell: nodes that lines of the configuration name, in its /dev and in one that the real mdev fills. */
function compareWithMdev(): readonly string[] {
  const write = (path: string, lines: readonly string[]) => [`cat > ${path} <<'EOF'`, ...lines, "EOF"];
  const names = "vda vda1 vdb console tty1 vc/1 vc/7 loop-control rtc0";
  return [
    ...write("/etc/mdev.conf", CONFIG.trimEnd().split("\n")),
    ...write("/etc/group", GROUPS),
    `describe() { (cd $1; for n in ${names}; do stat -L -c '%n %F %a %u:%g %t:%T' $n 2>&1; done); }`,
    "unshare -m sh -c 'mount -t tmpfs mdev /dev && mdev -s && mkdir /run/mdev && cp -a /dev/. /run/mdev'",
    "describe /dev > /run/ours; describe /run/mdev > /run/theirs; cat /run/theirs",
    "diff /run/ours /run/theirs && echo the same-$((1 + 1))",
  ];
}

vmTest(
  "without devtmpfs: every device has its node, by /etc/mdev.conf; a disk that appears late is found; /dev moves along",
  async () =>
    guest(
      {
        disks: [
          { file: await flashStick({ label: "OTHER" }) },
          { file: await rootImage("ext4", { label: "ROOT" }), id: "late", unplugged: true },
        ],
        cmdline: "root=LABEL=ROOT rw rd.timeout=900",
      },
      CONFIG,
    ),
  async (vm) => {
    await vm.expect("/etc/mdev.conf: commands are not run (line 7)");
    await vm.expect(/waiting for LABEL=ROOT.*\/dev\/vda1 vfat "OTHER"/);
    await vm.plug("late");
    await vm.expect(/small-root: mount \/dev tmpfs /);
    await vm.expect("small-root: ready");
    await ask(vm, "stat -c '%n %F %a %g %t:%T' /dev/vda1 /dev/vdb", "/dev/vda1 block special file 640 6 fe:1");
    await vm.expect("/dev/vdb block special file 640 6 fe:10");
    await ask(
      vm,
      "stat -c '%n %F %a %g %t:%T' /dev/console /dev/null",
      "/dev/console character special file 622 5 5:1",
    );
    await vm.expect("/dev/null character special file 666 0 1:3");
    await ask(vm, "ls -l /dev/tty7; ls /dev/rtc0", /\/dev\/tty7 -> \/dev\/vc\/7\n/);
    await vm.expect("/dev/rtc0: No such file");
    // Nothing that the kernel has is without a node, but for what a line forbids.
    const every =
      "for i in /sys/dev/*/*:*; do n=$(sed -n s/DEVNAME=//p $i/uevent); [ -e /dev/$n ] || echo $n; done; echo end";
    await ask(vm, every, /^rtc0\nend$/m);
    // What the lines name is as BusyBox's own mdev makes it of them.
    for (const line of compareWithMdev()) vm.send(`${line}\n`);
    await vm.expect("vda1 block special file 640 0:6 fe:1\n");
    await vm.expect("the same-2");
  },
);

vmTest(
  "without devtmpfs: a loop device on a stick has its node as soon as the driver is loaded",
  async () =>
    guest({
      image: { kernel: "full" },
      disks: [{ file: await flashStick(), bus: "usb" }],
      cmdline: "root=LABEL=FLASH rd.image=/newroot.sfs rd.overlay",
      memoryMib: 1024,
    }),
  async (vm) => {
    await vm.expect("small-root: mount /dev tmpfs ");
    await vm.expect("small-root: mount /run/levain/lower squashfs /dev/loop0 ro,");
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "without devtmpfs: the rescue shell notices an unplugged disk, and retry finds what appeared meanwhile",
  async () =>
    guest({
      disks: [
        { file: await flashStick({ label: "OTHER" }), id: "other" },
        { file: await rootImage("ext4", { label: "ROOT" }), id: "late", unplugged: true },
      ],
      cmdline: "root=LABEL=ROOT rd.timeout=15",
    }),
  async (vm) => {
    await vm.expect(/waiting for LABEL=ROOT/);
    await vm.unplug("other");
    await vm.expect("could not find the root device");
    await vm.expect(PROMPT);
    await ask(vm, "ls /dev/vd*; stat -c %a /dev/vda; tty", /\/dev\/vd\*: No such file/);
    await vm.plug("late");
    await ask(vm, "sleep 1; exit", "small-root: ready");
    expect(vm.log()).not.toContain("crashed");
  },
);
