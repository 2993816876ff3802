// Many machines download a configuration and an image from one nginx on this host at the same moment: `bun bench/fleet.ts
// [--machines N] [--mib N] [--no-sendfile]`. Each machine is a process with the client's code; what it downloads is verified and not kept.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeAuthority } from "../test/support/network/authority.ts";
import { startNginx } from "../test/support/network/nginx.ts";
import { align, median } from "./table.ts";

const CLIENT = join(import.meta.dir, "../test/support/network/fleet-client.ts");

const { values } = parseArgs({
  options: {
    machines: { type: "string", default: "200" },
    mib: { type: "string", default: "100" },
    "no-sendfile": { type: "boolean", default: false },
  },
});
const machines = Number(values.machines);
const image = Buffer.alloc(Number(values.mib) << 20, "an image ");
const hex = createHash("sha256").update(image).digest("hex");

using authority = makeAuthority();
const files = { image, "machine.toml": Buffer.from("parameters = []\n") };
await using nginx = await startNginx(authority, files, { hasSendfile: !values["no-sendfile"] });
const startMs = performance.now();
const clients = Array.from({ length: machines }, () =>
  Bun.spawn([process.execPath, CLIENT, `${nginx.http}/machine.toml`, `${nginx.http}/image`, hex], {
    stdout: "pipe",
    stderr: "inherit",
  }),
);
const outputs = await Promise.all(clients.map(({ stdout }) => new Response(stdout).text()));
const seconds = (performance.now() - startMs) / 1000;
const done = outputs.flatMap((text) => (text === "" ? [] : [JSON.parse(text)]));
const of = (name: string) => done.map((one) => Number(one[name]));
console.log(
  align([
    ["machines", `${machines}, of which ${machines - done.length} failed`],
    ["image", `${values.mib} MiB`],
    ["all done after", `${seconds.toFixed(1)} s`],
    ["throughput", `${((done.length * image.length) / seconds / 1e6).toFixed(0)} MB/s`],
    ["CPU for each", `${(median(of("cpuMs")) ?? Number.NaN).toFixed(0)} ms (median)`],
    ["tried again", `${of("retries").reduce((sum, count) => sum + count, 0)} times`],
  ]),
);
process.exitCode = done.length === machines ? 0 : 1;
