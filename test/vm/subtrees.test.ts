import { expect } from "bun:test";
import { btrfsPool } from "../support/btrfs-pool.ts";
import { encryptedVolume, LUKS_UUID, PASSPHRASE, ROOT_UUID } from "../support/encrypted-volumes.ts";
import { treeImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { mergedRoot } from "../support/merged-root.ts";
import { smallRoot } from "../support/root-tree.ts";
import { answer } from "../support/unlocking.ts";
import { vmTest } from "../support/vm-test.ts";

// What is mounted below the root before init. systemd's documentation decides: systemd.mount(5) for x-initrd.mount, and
// kernel-command-line(7) for mount.usr= and systemd.volatile=.

const FSTAB = `# <file system> <mount point> <type> <options> <dump> <pass>
LABEL=ROOT / ext4 defaults 0 1
LABEL=LOG /var/log\\040files ext4 nosuid,x-initrd.mount,x-systemd.makefs 0 2
LABEL=USR /usr ext4 ro 0 2
/opt/data /srv none bind,ro,x-initrd.mount
LABEL=GONE /mnt ext4 x-initrd.mount,nofail
LABEL=GONE /initrd ext4 defaults
`;

vmTest(
  "a root with a split /usr, lines of fstab, and two unions, one of which shows what an earlier boot has kept",
  async () => {
    const root = await mergedRoot({
      "/etc/fstab": { text: FSTAB },
      "/etc/mtab": { text: "an old table\n" },
      "/var/log files": { directory: true },
      "/var/state": { text: "base\n" },
      "/opt/data/file": { text: "data\n" },
      "/srv": { directory: true },
    });
    const kept = await smallRoot({ "/var/upper/state": { text: "kept\n" } });
    return levainGuest({
      disks: [
        await treeImage("ext4", root.root, { label: "ROOT" }),
        await treeImage("ext4", root.usr, { label: "USR" }),
        await treeImage("ext4", await smallRoot({ "/journal": { text: "log\n" } }), { label: "LOG" }),
        await treeImage("ext4", kept, { label: "DATA" }),
      ],
      cmdline:
        "root=LABEL=ROOT rd.union=/etc:size=3M rd.union=/var:size=5M:LABEL=DATA rd.tmpfs=/tmp:size=2M rd.tmpfs=/run:size=30%",
    });
  },
  async (vm) => {
    await vm.expect(/warning {3}could not find the device for \/mnt: booting\s+without\s+\/mnt\s+\(nofail\)/);
    await vm.expect(
      /^ {2}subtrees +\/usr from \/dev\/vdb ext4 "USR",\s+\/srv\s+from\s+\/opt\/data,\s+\/tmp\s+tmpfs\s+2M,/m,
    );
    for (const mount of [
      "/ ext4 /dev/vda ro,",
      "/usr ext4 /dev/vdb ro,",
      "/srv ext4 /dev/vda ro,",
      "/tmp tmpfs tmpfs rw,nosuid,nodev,.*size=2048k",
      "/etc overlay overlay rw,.*lowerdir=/sysroot/etc,",
      "/var overlay overlay rw,.*lowerdir=/run/levain/stores/1/upper:/run/levain/union/1-base,",
    ])
      await vm.expect(new RegExp(`small-root: mount ${mount}`));
    await vm.expect("small-root: ready");
    vm.send(
      "cat /var/state; stat -c %a /tmp /etc; readlink /etc/mtab; ls '/var/log files' | grep journal; echo one-$((40 + 2))\n",
    );
    await vm.expect("\nkept\n1777\n755\n../proc/self/mounts\njournal\none-42");
    vm.send(
      "for place in / /srv /run/levain/stores/1 /run/levain/stores/disk-1; do touch $place/new 2>&1; done | grep -c 'Read-only'; echo two-$((40 + 2))\n",
    );
    await vm.expect("\n4\ntwo-42");
    vm.send(
      "touch /etc/new /var/new && df -k /etc /var /tmp /run | awk 'NR > 1 { print $2 }'; echo three-$((40 + 2))\n",
    );
    const [, sizes = ""] = await vm.expect(/\n(3072\n5120\n2048\n\d+)\nthree-42/);
    expect(Number(sizes.split("\n")[3])).toBeGreaterThan(5120);
  },
);

vmTest(
  "/usr in a LUKS volume of its own, with the passphrase of the root's",
  async () =>
    levainGuest({
      disks: [(await encryptedVolume("upper")).volume, (await encryptedVolume("vault")).volume],
      cmdline: `rd.luks.uuid=${LUKS_UUID.vault} rd.luks.name=${LUKS_UUID.upper}=usr root=UUID=${ROOT_UUID} mount.usr=LABEL=UPPER mount.usrflags=noatime`,
    }),
  async (vm) => {
    await answer(vm, PASSPHRASE);
    await vm.expect(/^ {2}subtrees +\/usr from \/dev\/mapper\/usr ext4\s+"UPPER"\s+in\s/m);
    await vm.expect("small-root: mount /usr ext4 /dev/mapper/usr ro,noatime");
    await vm.expect("small-root: ready");
    expect(vm.log().match(/passphrase: /g)).toHaveLength(1);
  },
);

vmTest(
  "/usr is a subvolume of the root's btrfs of two disks, writable below a root that is not",
  async () =>
    levainGuest({
      disks: await btrfsPool("POOL"),
      cmdline: "root=LABEL=POOL rootflags=subvol=@root mount.usrflags=subvol=@root,rw",
    }),
  async (vm) => {
    await vm.expect(/small-root: mount \/ btrfs \/dev\/vd[ab] ro,.*subvol=\/@root/);
    await vm.expect(/small-root: mount \/usr btrfs \/dev\/vd[ab] rw,.*subvol=\/@root/);
    await vm.expect("small-root: ready");
  },
);

vmTest(
  "systemd.volatile=yes: a root in memory with the /usr of the device, which is not written",
  async () => {
    const { whole } = await mergedRoot({ "/etc/secret": { text: "secret\n" } });
    return levainGuest({
      disks: [await treeImage("ext4", whole, { label: "ROOT" })],
      cmdline: "root=LABEL=ROOT rw systemd.volatile=yes rd.overlay.size=9M",
    });
  },
  async (vm) => {
    await vm.expect("small-root: init is /sbin/init");
    await vm.expect(/small-root: mount \/ tmpfs tmpfs rw,.*size=9216k/);
    await vm.expect("small-root: mount /usr ext4 /dev/vda ro,");
    await vm.expect("small-root: ready");
    vm.send(
      "ls -d /bin /etc /home /sbin /tmp /usr /var 2> /dev/null | xargs; ls /etc; touch /new && echo all-$((40 + 2))\n",
    );
    await vm.expect("\n/bin /etc /sbin /tmp /usr /var\nmtab\nall-42");
  },
);
