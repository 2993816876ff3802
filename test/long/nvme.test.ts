import { expect } from "bun:test";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { bootClient, fileServerGuest } from "../support/network/file-server-guest.ts";
import { vmTest } from "../support/vm-test.ts";

const socket = join(scratchDirectory(), "cable");

vmTest(
  "a root on NVMe over TCP, from the kernel's target that starts later",
  async () => fileServerGuest(socket, await rootImage("ext4", { label: "ROOT" })),
  async (server) => {
    await server.expect("server: up");
    await bootClient(
      { socket, cmdline: "root=LABEL=ROOT rd.nvmf.discover=tcp,192.0.2.1 ip=dhcp rd.timeout=200" },
      async (vm) => {
        await vm.expect(/NVMe over TCP, 192\.0\.2\.1 port 4420: the connection was refused/);
        server.send("serve-nvme\n");
        await server.expect("server: serves NVMe");
        await vm.expect(/^ {2}root +\/dev\/nvme\d+n1 ext4 "ROOT"/m);
        await vm.expect("small-root: ready");
        vm.send(
          "cat /sys/class/nvme/nvme*/subsysnqn /sys/class/nvme/nvme*/ctrl_loss_tmo; md5sum < /sbin/init && echo all-$((40 + 2))\n",
        );
        const [all] = await vm.expect(/\n[\s\S]*all-42/m);
        expect(all).toContain("nqn.2014-08.org.example:root");
        expect(all).not.toContain("discovery");
        expect(all).toMatch(/\b(?:off|-1)\b/);
      },
    );
  },
);
