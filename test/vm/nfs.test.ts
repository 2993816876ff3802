import { expect } from "bun:test";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { bootClient, fileServerGuest } from "../support/network/file-server-guest.ts";
import { vmTest } from "../support/vm-test.ts";

const socket = join(scratchDirectory(), "cable");

vmTest(
  "a root from a real NFS server: one that starts later, by DHCP and version 4.2, and with version 3 and init=/bin/sh",
  async () => fileServerGuest(socket, await rootImage("ext4", { label: "ROOT" })),
  async (server) => {
    await server.expect("server: up");
    await bootClient({ socket, cmdline: "root=dhcp rw rd.timeout=200" }, async (vm) => {
      await vm.expect(/waiting for 192\.0\.2\.1:\/srv\/root, \d+ of 200 s · seen: the server refused the connection/);
      server.send("serve\n");
      await server.expect("server: serves");
      await vm.expect(/192\.0\.2\.1:\/srv\/root NFS 4\.2 at \/sysroot, writable/);
      await vm.expect("small-root: ready");
      vm.send(
        "echo kept > /kept; grep ' / ' /proc/mounts; cat /sys/module/nfs/parameters/nfs4_unique_id /run/network/ifstate; ip address show eth0; echo end; poweroff -f\n",
      );
      const [all] = await vm.expect(/192\.0\.2\.1:\/srv\/root \/ nfs4 rw[\s\S]*\nend\n/);
      expect(all).toMatch(/vers=4\.2/);
      expect(all).toContain("52:54:00:00:00:02");
      expect(all).toContain("eth0=eth0");
      expect(all).toContain("192.0.2.5");
      expect((await vm.expectExit()).reason).toBe("guest-shutdown");
    });
    const fixed = "ip=192.0.2.9:192.0.2.1::255.255.255.0::eth0:none";
    await bootClient(
      { socket, cmdline: `root=/dev/nfs nfsroot=/srv/root,vers=3 ${fixed} rd.timeout=200 init=/bin/sh` },
      async (vm) => {
        await vm.expect(/192\.0\.2\.1:\/srv\/root NFS at \/sysroot, read-only/);
        await vm.expect("handover  switch_root to /bin/sh");
        // What is typed before is lost.
        await vm.expect("job control turned off");
        await vm.expect("/ # ");
        vm.send("cat /kept; grep ' / ' /proc/mounts\n");
        const [all] = await vm.expect(/kept\n[\s\S]*192\.0\.2\.1:\/srv\/root \/ nfs ro\S*/);
        expect(all).toMatch(/vers=3,.*nolock/);
      },
    );
  },
);
