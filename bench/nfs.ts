// Compares the time until the init of a root on NFS with initramfs-tools' `boot=nfs`: `bun bench/nfs.ts [--runs N]`. The images take turns;
// the server is in a guest of its own, at the other end of a cable. The client's clock counts instructions, and stands still for nothing
// but what it waits for, so that other work of the host matters little. The address is static and the version 3, the only one that
// initramfs-tools mounts.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { scratchDirectory } from "../test/support/cache.ts";
import { rootImage } from "../test/support/filesystem-images.ts";
import { foreignImage } from "../test/support/foreign-images.ts";
import { levainImage } from "../test/support/levain-image.ts";
import { cable, fileServerGuest } from "../test/support/network/file-server-guest.ts";
import { smallRoot } from "../test/support/root-tree.ts";
import { withVm } from "../test/support/with-vm.ts";
import { timeGuest } from "./guest.ts";
import { markChanges } from "./scenes.ts";
import { align, median } from "./table.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "5" } } });
const WORDS = "ro panic=1 rd.shell=0 rd.emergency=reboot ip=192.0.2.9:192.0.2.1::255.255.255.0:node:eth0:none";
const ROOT = "root=/dev/nfs nfsroot=192.0.2.1:/srv/root,vers=3";
const SERVER_TIMEOUT_MS = 3_600_000;

const socket = join(scratchDirectory(), "cable");
const images = {
  levain: { image: await levainImage({ words: ["--network"], compress: "zstd" }), words: ROOT },
  // Without the word, its udev gives the card another name than ip= has.
  "initramfs-tools (12)": {
    image: await foreignImage("initramfs-tools for any machine"),
    words: `boot=nfs ${ROOT} net.ifnames=0`,
  },
};
const found = Object.keys(images).map((name) => ({ name, fromStart: [] as number[], fromInit: [] as number[] }));

const { timeoutMs: _, ...server } = await fileServerGuest(
  socket,
  await rootImage("ext4"),
  await smallRoot(await markChanges()),
);
await withVm({ ...server, smp: 1, name: "bench-nfs-server" }, SERVER_TIMEOUT_MS, async (vm) => {
  await vm.expect("server: up");
  vm.send("serve\n");
  await vm.expect("server: serves");
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const [index, [name, { image, words }]] of Object.entries(images).entries()) {
      const { startMs, initMs } = await timeGuest({
        name: `nfs-${name}`,
        image,
        icount: true,
        memoryMib: 512,
        cmdline: `${words} ${WORDS}`,
        extra: cable(socket, "client"),
      });
      found[index]?.fromStart.push(initMs);
      found[index]?.fromInit.push(initMs - startMs);
      console.error(
        `${run + 1}: ${name}: ${(initMs / 1000).toFixed(2)} s, ${((initMs - startMs) / 1000).toFixed(2)} s`,
      );
    }
  }
});
const seconds = (all: readonly number[]) => ((median(all) ?? Number.NaN) / 1000).toFixed(2);
console.log(
  align([
    [`a root on NFS, icount, s, medians of ${values.runs}`, ...found.map(({ name }) => name)],
    ["---", ...found.map(() => "---:")],
    ["kernel start → init", ...found.map(({ fromStart }) => seconds(fromStart))],
    ["`Run /init` → init", ...found.map(({ fromInit }) => seconds(fromInit))],
  ]),
);
