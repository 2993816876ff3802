import { btrfsPool } from "../btrfs-pool.ts";
import { flashStick, liveMedium } from "../disk-images.ts";
import { encryptedVolume, LUKS_UUID, PASSPHRASE, ROOT_UUID } from "../encrypted-volumes.ts";
import { rootImage } from "../filesystem-images.ts";
import type { KernelFlavour } from "../kernels.ts";
import { type LevainGuest, levainGuest, PROMPT } from "../levain-guest.ts";
import { lvmDisks } from "../lvm-disks.ts";
import type { Vm } from "../qemu.ts";
import { raidDisks } from "../raid-disks.ts";
import { answer } from "../unlocking.ts";
import { verityFixture } from "../verity-fixture.ts";
import type { VmTestOptions } from "../vm-test.ts";

/** A boot that every kernel must be able to do. */
export interface Scenario {
  readonly guest: (kernel: KernelFlavour) => Promise<VmTestOptions>;
  readonly body: (vm: Vm) => Promise<void>;
}

const UUID = "7ea00000-0000-4000-8000-000000000001";
const CARD = ["-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0"];

/** The options of a guest, for any kernel. */
function guestOn(make: () => Promise<LevainGuest>): Scenario["guest"] {
  return async (kernel) => {
    const { image, ...rest } = await make();
    return levainGuest({ memoryMib: kernel.endsWith("full") ? 1024 : 640, ...rest, image: { ...image, kernel } });
  };
}

async function ready(vm: Vm): Promise<void> {
  await vm.expect("small-root: ready");
}

/** Serves an image on the host's loopback, as long as this process runs. Returns its address as a guest of QEMU's user network sees it. */
async function serveImage(): Promise<string> {
  const file = Bun.file(await rootImage("squashfs-lz4"));
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(file) });
  server.unref();
  return `http://10.0.2.2:${server.port}/small.sfs`;
}

/** By their names in the table of docs/kernels.md. */
export const SCENARIOS = {
  "ext4 by UUID": {
    guest: guestOn(async () => ({
      disks: [await rootImage("ext4", { label: "ROOT", uuid: UUID })],
      cmdline: `root=UUID=${UUID} rw`,
    })),
    async body(vm) {
      await vm.expect("small-root: mount / ext4 /dev/vda rw");
      await ready(vm);
    },
  },
  "squashfs, overlay": {
    guest: guestOn(async () => ({
      disks: [await flashStick()],
      cmdline: "root=LABEL=FLASH rd.image=/newroot.sfs rd.overlay",
    })),
    async body(vm) {
      await vm.expect("small-root: mount / overlay overlay rw,");
      await ready(vm);
      vm.send("echo changed > /etc/passwd; cat /etc/passwd; ls /run/levain/overlay/upper/etc\n");
      await vm.expect("\nchanged\npasswd");
    },
  },
  "copied to RAM": {
    guest: guestOn(async () => ({
      disks: [{ file: await liveMedium("iso9660"), id: "stick" }],
      cmdline: "root=live:LABEL=LIVE toram",
    })),
    async body(vm) {
      await vm.expect(/\(squashfs, in RAM\) \+ tmpfs at \/sysroot/);
      await ready(vm);
      await vm.unplug("stick");
      vm.send("cat /etc/os-release\n");
      await vm.expect("\nID=small-root");
    },
  },
  "LUKS2, Argon2id": {
    guest: guestOn(async () => ({
      disks: [(await encryptedVolume("vault")).volume],
      cmdline: `rd.luks.uuid=${LUKS_UUID.vault} root=UUID=${ROOT_UUID}`,
    })),
    async body(vm) {
      await answer(vm, PASSPHRASE);
      await vm.expect(`small-root: mount / ext4 /dev/mapper/luks-${LUKS_UUID.vault} ro,`);
      await ready(vm);
    },
  },
  LVM: {
    guest: guestOn(async () => ({ disks: await lvmDisks("LINEAR"), cmdline: "root=/dev/my-vg/root rw" })),
    async body(vm) {
      await vm.expect(/^ {2}root +\/dev\/mapper\/my--vg-root ext4 "LINEAR"/m);
      await ready(vm);
      vm.send(
        "readlink /dev/my-vg/root; touch /x && sync; cat /sys/block/dm-*/dm/name; cut -c1-4 /sys/block/dm-0/dm/uuid; echo all-$((40 + 2))\n",
      );
      await vm.expect("\n../dm-0\nmy--vg-root\nLVM-\nall-42");
    },
  },
  "RAID 1": {
    guest: guestOn(async () => ({ disks: await raidDisks("MIRROR"), cmdline: "root=/dev/md/system rw" })),
    async body(vm) {
      await vm.expect(
        /^ {2}root +\/dev\/md127 ext4 "MIRROR" in \/dev\/vda linux_raid_member in \/dev\/vdb linux_raid_member/m,
      );
      await vm.expect("small-root: mount / ext4 /dev/md127 rw");
      await ready(vm);
      vm.send(
        "touch /x && sync; grep -c 'active raid1 vd[ab]' /proc/mdstat; grep -o '\\[UU\\]' /proc/mdstat; echo all-$((40 + 2))\n",
      );
      await vm.expect("\n1\n[UU]\nall-42");
    },
  },
  "btrfs, two disks": {
    guest: guestOn(async () => ({
      disks: await btrfsPool("POOL"),
      cmdline: "root=LABEL=POOL rootflags=subvol=@root",
    })),
    async body(vm) {
      await vm.expect(/small-root: mount \/ btrfs \/dev\/vd[ab] ro,.*subvol=\/@root/);
      await ready(vm);
    },
  },
  "dm-verity": {
    guest: guestOn(async () => {
      const image = await rootImage("squashfs-zstd");
      const { hashes, rootHash } = await verityFixture(image);
      return { disks: [image, hashes], cmdline: `root=/dev/vda roothash=${rootHash} rd.verity.hash=/dev/vdb` };
    }),
    async body(vm) {
      await vm.expect("small-root: mount / squashfs /dev/mapper/root ro,");
      await ready(vm);
    },
  },
  "DHCP, HTTP": {
    guest: guestOn(async () => ({
      image: { config: "network = true\n" },
      cmdline: `root=${await serveImage()} ip=dhcp`,
      extra: CARD,
    })),
    async body(vm) {
      await vm.expect("small-root: mount / overlay");
      await ready(vm);
    },
  },
  "rescue shell, retry": {
    guest: guestOn(async () => ({
      disks: [await rootImage("ext4", { label: "ROOT", uuid: UUID })],
      cmdline: "root=LABEL=WRONG rd.timeout=1",
    })),
    async body(vm) {
      await vm.expect('no device with label "WRONG" appeared within 1 s\nseen: /dev/vda ext4 "ROOT"\nhint: ');
      await vm.expect(PROMPT);
      vm.send("levain devices\n");
      await vm.expect(/^\/dev\/vda {2}32 MiB {2}ext4 {2}ROOT {3}/m);
      await vm.expect(PROMPT);
      vm.send("levain retry root=LABEL=ROOT\n");
      await ready(vm);
    },
  },
} as const satisfies Readonly<Record<string, Scenario>>;

/** The name of a scenario, and the head of its column. */
export type ScenarioName = keyof typeof SCENARIOS;
