import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { type BlockServer, serveAoe, serveNbd } from "../support/network/block-servers.ts";
import { raidDisks } from "../support/raid-disks.ts";
import { vmTest } from "../support/vm-test.ts";

const network = { words: ["--network"] };
/** What the tests have started, by their names. */
const servers: { aoe?: BlockServer; nbd?: BlockServer } = {};

vmTest(
  "an array of two AoE targets is the root, and init=/bin/sh is its process 1",
  async () => {
    const server = await serveAoe(await raidDisks("MIRROR"));
    servers.aoe = server;
    return levainGuest({
      image: network,
      extra: server.extra,
      cmdline: "root=/dev/md/system rd.aoe=eth0 init=/bin/sh",
    });
  },
  async (vm) => {
    await vm.expect(/^ {2}network +eth0 up, without an address/m);
    await vm.expect(
      /^ {2}root +\/dev\/md127 ext4 "MIRROR" in \/dev\/etherd\/e0\.0 linux_raid_member in \/dev\/etherd\/e0\.1/m,
    );
    await vm.expect(/switch_root to \/bin\/sh/);
    vm.send(
      "cat /run/systemd/network/*; cat /proc/1/comm; head -c 100000000 /dev/md127 | md5sum; echo all-$((40 + 2))\n",
    );
    await vm.expect(/Unmanaged=yes[\s\S]*KeepConfiguration=yes[\s\S]*\nsh\n[\s\S]*all-42/);
    servers.aoe?.stop();
  },
);

vmTest(
  "an export of nbd-server is the root, and stays so after the handover",
  async () => {
    const server = serveNbd({ disk: await rootImage("ext4", { label: "ROOT" }) });
    servers.nbd = server;
    return levainGuest({ image: network, extra: server.extra, cmdline: `root=${server.url}/disk ip=dhcp` });
  },
  async (vm) => {
    await vm.expect(/^ {2}root +\/dev\/nbd0 ext4 "ROOT"/m);
    await vm.expect("small-root: mount / ext4 /dev/nbd0 ro");
    await vm.expect("small-root: ready");
    vm.send("cat /sys/block/nbd0/ro; md5sum < /dev/nbd0 && echo all-$((40 + 2))\n");
    await vm.expect(/^1\n[\s\S]*all-42/m);
    servers.nbd?.stop();
  },
);
