// Brings the network of this process's namespace up as the parameters on the command line say, with the real machine, and prints
// the result or the report of the failure as JSON. What is said stands in the file SAID at once. The drivers are those of the host.
import { appendFileSync } from "node:fs";
import type { Loader } from "../../src/drivers/make-loader.ts";
import { createLinuxMachine } from "../../src/machine/linux/linux.ts";
import { bringUpNetwork } from "../../src/network/bring-up.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import { report } from "../../src/problems/report.ts";

const NO_DRIVERS: Loader = {
  loadByName: () => "ready",
  loadByAlias: () => "ready",
  loadFilesystem: () => undefined,
  coldplug: () => undefined,
  handleEvent: () => undefined,
  loadMore: () => false,
  loadNetwork: () => undefined,
  loadWatchdog: () => undefined,
  loadAll: () => undefined,
  loadWithoutDisks: () => [],
  loadInBackground: () => ({ leftMs: 0, hasMoved: false, hasNews: false }),
  loadSoon: () => false,
  advance: () => undefined,
  isHeldUp: () => false,
  watchDisks: () => undefined,
  blocked: () => [],
  counts: () => ({ modules: 0, devices: 0 }),
};

const cmdline = `root=LABEL=R rd.neednet=1 ${process.argv.slice(2).join(" ")}`;
const { network: plan } = makePlan({ cmdline, manifest: null }).plan;
const machine = createLinuxMachine();
const said: string[] = [];
function say(text: string): void {
  said.push(text);
  appendFileSync(process.env["SAID"] ?? "", `${text}\n`);
}
const startMs = machine.nowMs();
try {
  const context = {
    machine,
    drivers: NO_DRIVERS,
    voice: { warn: say, debug: say, progress: say },
    undo: () => undefined,
  };
  const network = bringUpNetwork(context, plan);
  console.log(JSON.stringify({ network, said, tookMs: machine.nowMs() - startMs, report: [] }));
} catch (error) {
  console.log(JSON.stringify({ network: null, said, tookMs: machine.nowMs() - startMs, report: report(error) }));
}
