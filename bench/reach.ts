// Boots every scenario of test/support/reach/ on every kernel, and notes in the table of docs/kernels.md what came of it:
// `bun bench/reach.ts [--missing] [--kernels NAME,…] [--scenarios NAME;…]`. --missing leaves out what the table already has as
// booted with the same version of the kernel, so a run that was stopped can go on. With GUEST_ARCH=aarch64 the rows of AArch64.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { run } from "../test/support/command.ts";
import { debianKernel } from "../test/support/kernels.ts";
import { type Mark, type Marks, NAMES, readMarks, replaceTable } from "../test/support/reach/page.ts";
import { OWN_ROWS, ROWS, type Row } from "../test/support/reach/rows.ts";
import { SCENARIOS, type ScenarioName } from "../test/support/reach/scenarios.ts";
import { withVm } from "../test/support/with-vm.ts";

const PAGE = join(import.meta.dir, "../docs/kernels.md");
const BOOT_MS = 240_000;
/** How many are prepared or wait for a place; how many guests run at once is the harness's decision. */
const WORKERS = 10;

const { values: options } = parseArgs({
  options: {
    missing: { type: "boolean", default: false },
    kernels: { type: "string", default: OWN_ROWS.map(({ kernel }) => kernel).join(",") },
    scenarios: { type: "string", default: NAMES.join(";") },
  },
});
const kernels = options.kernels.split(",");
const scenarios = options.scenarios.split(";");
const [qemu = ""] = (await run(["qemu-system-x86_64", "--version"])).split("\n");

async function bootCell({ kernel }: Row, scenario: ScenarioName): Promise<Mark> {
  const { guest, body } = SCENARIOS[scenario];
  try {
    await withVm({ ...(await guest(kernel)), name: `reach: ${kernel}: ${scenario}` }, BOOT_MS, body);
    return "✓";
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return "failed";
  }
}

/** Reads and writes without a pause between, because the workers share the page. */
function note(row: Row, version: string, scenario: ScenarioName, mark: Mark): void {
  const page = readFileSync(PAGE, "utf8");
  const table = ROWS.map((one): readonly [Row, Marks] => {
    const old = readMarks(page, one);
    if (one !== row) return [one, old];
    const none = Object.fromEntries(NAMES.map((name) => [name, ""])) as Record<ScenarioName, Mark>;
    return [one, { version, of: { ...(old.version === version ? old.of : none), [scenario]: mark } }];
  });
  writeFileSync(PAGE, replaceTable(page, table, `${new Date().toISOString().slice(0, 10)}, ${qemu}, no KVM.`));
}

const cells = NAMES.filter((name) => scenarios.includes(name)).flatMap((scenario) =>
  OWN_ROWS.filter(({ kernel }) => kernels.includes(kernel)).map((row) => ({ row, scenario })),
);
let failed = 0;

async function work(): Promise<void> {
  for (let cell = cells.shift(); cell !== undefined; cell = cells.shift()) {
    const { row, scenario } = cell;
    const { version } = await debianKernel(row.kernel);
    const old = readMarks(readFileSync(PAGE, "utf8"), row);
    if (options.missing && old.version === version && old.of[scenario] === "✓") continue;
    const mark = await bootCell(row, scenario);
    if (mark === "failed") failed += 1;
    note(row, version, scenario, mark);
    console.log(`${version}: ${scenario}: ${mark}, ${cells.length} to go`);
  }
}

await Promise.all(Array.from({ length: WORKERS }, work));
process.exit(failed === 0 ? 0 : 1);
