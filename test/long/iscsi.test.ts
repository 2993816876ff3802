import { expect } from "bun:test";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { guestPrograms } from "../support/guest-programs.ts";
import { bootClient, fileServerGuest } from "../support/network/file-server-guest.ts";
import { vmTest } from "../support/vm-test.ts";

const socket = join(scratchDirectory(), "cable");

/** It with its libraries; `levain image --program` finds those of an installed one. */
async function iscsistart(): Promise<Readonly<Record<string, string>>> {
  const entries = Object.entries(await guestPrograms("/sbin/iscsistart"));
  return Object.fromEntries(
    entries.flatMap(([path, entry]) => ("file" in entry ? [[path, realpathSync(entry.file)]] : [])),
  );
}

vmTest(
  "a root on iSCSI, from the kernel's target that starts later",
  async () => fileServerGuest(socket, await rootImage("ext4", { label: "ROOT" })),
  async (server) => {
    await server.expect("server: up");
    const netroot =
      "netroot=iscsi:192.0.2.1::::iqn.2024-01.org.example:disk rd.iscsi.initiator=iqn.2024-01.org.example:me";
    await bootClient(
      { socket, cmdline: `root=LABEL=ROOT rw ${netroot} ip=dhcp rd.timeout=200`, files: await iscsistart() },
      async (vm) => {
        await vm.expect(/port 3260:\s+the\s+connection\s+was\s+refused/);
        server.send("serve-iscsi\n");
        await server.expect("server: serves iSCSI");
        await vm.expect(/^ {2}root +\/dev\/sda ext4 "ROOT"/m);
        await vm.expect("small-root: ready");
        vm.send(
          "cat /sys/class/iscsi_session/session*/targetname; echo kept > /kept; sync; md5sum < /sbin/init && echo all-$((40 + 2))\n",
        );
        const [all] = await vm.expect(/\n[\s\S]*all-42/m);
        expect(all).toContain("iqn.2024-01.org.example:disk");
      },
    );
  },
);
