import { expect } from "bun:test";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { bootClient, fileServerGuest } from "../support/network/file-server-guest.ts";
import { vmTest } from "../support/vm-test.ts";

const socket = join(scratchDirectory(), "cable");
const OUT_MS = 20_000;

vmTest(
  "a system that runs on an NFS root waits for 20 s while the cable is out, and goes on",
  async () => fileServerGuest(socket, await rootImage("ext4", { label: "ROOT" })),
  async (server) => {
    await server.expect("server: up");
    server.send("serve\n");
    await server.expect("server: serves");
    await bootClient({ socket, cmdline: "root=dhcp rw rd.timeout=200" }, async (vm) => {
      await vm.expect("small-root: ready");
      await vm.monitor("set_link", { name: "cable", up: false });
      // A new file needs the server; what the client has read before, it has in memory.
      vm.send("echo kept > /kept && sync && echo written-$((40 + 2))\n");
      await vm.pause(OUT_MS);
      expect(vm.log()).not.toContain("written-42");
      await vm.monitor("set_link", { name: "cable", up: true });
      await vm.expect("written-42", 120_000);
      vm.send("md5sum < /sbin/init && grep ' / ' /proc/mounts && cat /kept && poweroff -f\n");
      await vm.expect(/192\.0\.2\.1:\/srv\/root \/ nfs4 rw[\s\S]*\nkept\n/);
      expect((await vm.expectExit()).reason).toBe("guest-shutdown");
    });
    server.send("cat /srv/root/kept\n");
    await server.expect("\nkept\n");
  },
);
