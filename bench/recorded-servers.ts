import { join } from "node:path";
import { scratchDirectory } from "../test/support/cache.ts";
import { rootImage } from "../test/support/filesystem-images.ts";
import { serveNbd } from "../test/support/network/block-servers.ts";
import { cable, fileServerGuest } from "../test/support/network/file-server-guest.ts";
import { boot } from "../test/support/qemu.ts";

/** What serves a boot, in another guest or on this host. */
export interface RecordedServer {
  /** QEMU's arguments with which the guest that boots reaches it. */
  readonly extra: readonly string[];
  readonly cmdline: string;
  stop(): Promise<unknown>;
}

/** In a guest: NFS and DHCP. */
export async function serveNfs(): Promise<RecordedServer> {
  const socket = join(scratchDirectory(), "cable");
  const { timeoutMs: _, ...options } = await fileServerGuest(socket, await rootImage("ext4", { label: "ROOT" }));
  const server = await boot({ ...options, smp: 1, name: "hot-pages-server" });
  await server.expect("server: up");
  server.send("serve\n");
  await server.expect("server: serves");
  return { extra: cable(socket, "client"), cmdline: "root=dhcp", stop: () => server.stop() };
}

/** On this host: a disk by NBD. */
export async function serveDisk(): Promise<RecordedServer> {
  const { url, extra, stop } = serveNbd({ disk: await rootImage("ext4", { label: "ROOT" }) });
  return { extra, cmdline: `root=${url}/disk ip=dhcp`, stop: async () => stop() };
}
