// One machine of a fleet: downloads a configuration and then an image, as a boot does, and keeps neither. Prints as JSON what it took.
import { connections } from "../../../src/machine/linux/network/connections.ts";
import { http } from "../../../src/machine/linux/network/http.ts";
import { download, type Watched } from "../../../src/network/fetch/attempts.ts";
import { describeFault } from "../../../src/problems/causes/transfer.ts";

const [config = "", image = "", hex = ""] = process.argv.slice(2);
const writer = { replace: () => undefined, append: () => undefined, close: () => undefined };
const machine = { ...http, ...connections, openWriter: () => writer, nowMs: () => performance.now() };
const common = { path: "/file", limitBytes: 1 << 30, patienceMs: 30_000, proxy: null, timeServers: [] };
const watched: Watched = { received: null, url: null, failures: [] };

async function get(url: string, digest: { readonly algorithm: "sha256"; readonly hex: string } | null) {
  const failures = await download(machine, { ...common, urls: [url], digest }, [], watched);
  if (failures !== null) throw new Error(failures.map(({ fault }) => describeFault(fault)).join("; "));
  return watched.received?.bytes ?? 0;
}

const startMs = performance.now();
await get(config, null);
const bytes = await get(image, { algorithm: "sha256", hex });
const { user, system } = process.cpuUsage();
const tookMs = performance.now() - startMs;
console.log(JSON.stringify({ bytes, tookMs, cpuMs: (user + system) / 1000, retries: watched.failures.length }));
