import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../cache.ts";
import { compileStatic } from "../packed-program.ts";
import { TEST_PROGRAMS } from "../test-programs.ts";
import { freePort } from "./free-port.ts";
import { recipe } from "./recipes.ts";

const program = (name: string) => join(TEST_PROGRAMS, "bin", name);

/** A server that a test has started, and what makes the guest reach it. */
export interface BlockServer {
  /** QEMU's options. */
  readonly extra: readonly string[];
  stop(): void;
}

/** Serves files read-only by vblade, as e0.0, e0.1 and so on, on the Ethernet that is the guest's only one. */
export async function serveAoe(files: readonly string[]): Promise<BlockServer> {
  const directory = scratchDirectory();
  const [guest, host] = ["guest", "host"].map((name) => join(directory, name));
  const relay = await compileStatic("frame-relay.c");
  // The line of docs/network.md for a disk that is only read: shelf 0, slot 1, its interface and its file.
  const line = /^vblade -r .*?(?= *#)/m.exec(recipe("vblade"))?.[0] ?? "";
  const serve = (file: string, slot: number) => line.replace(" 1 eth1 /srv/base.img", ` ${slot} tap0 "${file}"`);
  const blades = files.map((file, slot) => `${serve(file, slot).replace("vblade", `"${program("vblade")}"`)} &`);
  const server = Bun.spawn(
    [
      ...["setpriv", "--pdeathsig", "KILL"],
      ...["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"],
      relay,
    ].concat(host ?? "", guest ?? "", `${blades.join("\n")}\nwait`),
    { stdout: "ignore", stderr: "inherit" },
  );
  return {
    extra: [
      "-netdev",
      `dgram,id=aoe,local.type=unix,local.path=${guest},remote.type=unix,remote.path=${host}`,
      ...["-device", "virtio-net-pci,netdev=aoe"],
    ],
    stop: () => server.kill("SIGKILL"),
  };
}

/** The address of the host's loopback in QEMU's user network. */
const HOST = "10.0.2.2";

/** Serves files read-only by nbd-server, by their names, to one client; `url` is without the export. */
export function serveNbd(
  exports: Readonly<Record<string, string>>,
): BlockServer & { readonly url: string; readonly port: number } {
  const directory = scratchDirectory();
  const port = freePort();
  mkdirSync(directory, { recursive: true });
  const sections = Object.entries(exports).map(([name, file]) => `[${name}]\nexportname=${file}\nreadonly=true\n`);
  const config = join(directory, "nbd.conf");
  writeFileSync(config, `[generic]\nlistenaddr=127.0.0.1\nport=${port}\n${sections.join("")}`);
  const server = Bun.spawn(
    ["setpriv", "--pdeathsig", "KILL", program("nbd-server"), "--dont-fork", "--config-file", config],
    { stdout: "ignore", stderr: "inherit" },
  );
  return {
    url: `nbd://${HOST}:${port}`,
    port,
    extra: ["-netdev", "user,id=nbd", "-device", "virtio-net-pci,netdev=nbd"],
    stop: () => server.kill("SIGKILL"),
  };
}
