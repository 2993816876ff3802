import { expect } from "bun:test";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { guestPrograms } from "../support/guest-programs.ts";
import { levainImage } from "../support/levain-image.ts";
import { cable, fileServerGuest } from "../support/network/file-server-guest.ts";
import type { Vm } from "../support/qemu.ts";
import { vmTest } from "../support/vm-test.ts";
import { withVm } from "../support/with-vm.ts";

const socket = join(scratchDirectory(), "cable");
const CLIENT_TIMEOUT_MS = 240_000;

/** It with its libraries; `levain image --program` finds those of an installed one. */
async function iscsistart(): Promise<Readonly<Record<string, string>>> {
  const entries = Object.entries(await guestPrograms("/sbin/iscsistart"));
  return Object.fromEntries(
    entries.flatMap(([path, entry]) => ("file" in entry ? [[path, realpathSync(entry.file)]] : [])),
  );
}

async function bootClient(cmdline: string, body: (vm: Vm) => Promise<void>): Promise<void> {
  const initrd = await levainImage({ words: ["--network"], files: await iscsistart() });
  const options = {
    name: "client of iSCSI",
    initrd,
    cmdline,
    smp: 1,
    memoryMib: 512,
    extra: [...cable(socket, "client")],
  };
  await withVm(options, CLIENT_TIMEOUT_MS, body);
}

vmTest(
  "a root on iSCSI, from the kernel's target that starts later",
  async () => fileServerGuest(socket, await rootImage("ext4", { label: "ROOT" })),
  async (server) => {
    await server.expect("server: up");
    const netroot =
      "netroot=iscsi:192.0.2.1::::iqn.2024-01.org.example:disk rd.iscsi.initiator=iqn.2024-01.org.example:me";
    await bootClient(`root=LABEL=ROOT rw ${netroot} ip=dhcp rd.timeout=200`, async (vm) => {
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
    });
  },
);
