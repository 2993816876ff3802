// Many machines download a configuration and an image from one nginx on this host at the same moment: `bun bench/fleet.ts
// [--machines N] [--mib N] [--patience SECONDS] [--mbit N] [--no-sendfile]`. With --mbit, the server's link is so fast, and all
// connections have the same share of it, as a switch gives them; without, the loopback is the link. Needs root. Each machine is a process with the client's code; what it downloads is verified and not kept.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeAuthority } from "../test/support/network/authority.ts";
import { startNginx } from "../test/support/network/nginx.ts";
import { align, median } from "./table.ts";

const CLIENT = join(import.meta.dir, "../test/support/network/fleet-client.ts");

const SERVER_NICENESS = -10;

const { values } = parseArgs({
  options: {
    machines: { type: "string", default: "200" },
    mib: { type: "string", default: "100" },
    patience: { type: "string", default: "30" },
    mbit: { type: "string", default: "0" },
    "no-sendfile": { type: "boolean", default: false },
  },
});
const machines = Number(values.machines);
const image = Buffer.alloc(Number(values.mib) << 20, "an image ");
const hex = createHash("sha256").update(image).digest("hex");

using authority = makeAuthority();
const files = { image, "machine.toml": Buffer.from("parameters = []\n") };
await using nginx = await startNginx(authority, files, {
  hasSendfile: !values["no-sendfile"],
  niceness: SERVER_NICENESS,
  bytesPerSecond: Math.floor((Number(values.mbit) * 125_000) / machines),
});
const startMs = performance.now();
// The server has a machine of its own: hundreds of clients must not take the CPU from it.
const nice = ["nice", "-n", `${-SERVER_NICENESS}`, process.execPath, CLIENT];
const clients = Array.from({ length: machines }, () =>
  Bun.spawn([...nice, `${nginx.http}/machine.toml`, `${nginx.http}/image`, hex, values.patience], {
    stdout: "pipe",
    stderr: "inherit",
  }),
);
const outputs = await Promise.all(clients.map(({ stdout }) => new Response(stdout).text()));
const seconds = (performance.now() - startMs) / 1000;
const done = outputs.flatMap((text) => (text === "" ? [] : [JSON.parse(text)]));
const of = (name: string) => done.map((one) => Number(one[name]));
const middle = (name: string) => median(of(name)) ?? Number.NaN;
console.log(
  align([
    ["machines", `${machines}, of which ${machines - done.length} failed`],
    ["image", `${values.mib} MiB`],
    ["all done after", `${seconds.toFixed(1)} s`],
    ["throughput", `${((done.length * image.length) / seconds / 1e6).toFixed(0)} MB/s`],
    [
      "each machine took",
      `${(middle("tookMs") / 1000).toFixed(1)} s (median), ${(Math.max(...of("tookMs")) / 1000).toFixed(1)} s at most`,
    ],
    ["CPU for each", `${middle("cpuMs").toFixed(0)} ms (median)`],
    ["CPU of nginx for each", `${(nginx.cpuMs() / machines).toFixed(0)} ms`],
    ["tried again", `${of("retries").reduce((sum, count) => sum + count, 0)} times`],
  ]),
);
process.exitCode = done.length === machines ? 0 : 1;
