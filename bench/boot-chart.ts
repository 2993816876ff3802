// Draws docs/boot.svg, a boot of the demo's stick: `bun bench/boot-chart.ts`. The chart is of one boot; another looks a little different.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawBoot } from "../src/desk/drawing/boot-svg.ts";
import { parseRecord } from "../src/log/boot-record.ts";
import { demoGuest } from "../test/support/demo.ts";
import { withVm } from "../test/support/with-vm.ts";

const OUTPUT = join(import.meta.dirname, "../docs/boot.svg");
const SHOW = "stty -echo; cat /run/levain/boot.json; echo; echo THE-LOG; dmesg; echo THE-END; poweroff -f\n";

await withVm({ ...(await demoGuest()), name: "boot chart", smp: 2 }, 300_000, async (vm) => {
  await vm.expect("small-root: ready");
  vm.send(SHOW);
  const [, json = "", log = ""] = await vm.expect(/\n(\{\r?\n[^]*?\n\})\s+THE-LOG\s([^]*?)\nTHE-END/);
  await vm.expectExit();
  const record = parseRecord(json);
  if (record === null) throw new Error(`the guest shows no record: ${json.slice(0, 500)}`);
  writeFileSync(OUTPUT, drawBoot({ ...record, kernelLog: log.split(/\r?\n/) }));
});
