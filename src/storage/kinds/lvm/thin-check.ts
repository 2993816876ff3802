import { CHECKER_PLACES } from "../../../filesystems/check.ts";
import { problem } from "../../../problems/problem.ts";
import type { StorageContext } from "../../contract.ts";
import { runWithin } from "../run-apart.ts";
import type { PlannedMapping } from "./tables/planning.ts";

/** The metadata of a large pool take minutes; a disk that does not answer would hold up the boot without a limit. */
const LIMIT_MS = 180_000;

/** Checks the metadata of a thin pool, as lvm2 does before it activates one, if the image has the program. Throws BootError if they are damaged: the kernel would make the pool read-only at some later time. */
export function checkThinPool(
  context: Pick<StorageContext, "machine" | "voice">,
  { name, targets }: Pick<PlannedMapping, "name" | "targets">,
): void {
  const [metadata] = targets.find(({ type }) => type === "thin-pool")?.words ?? [];
  const program = CHECKER_PLACES.map((place) => `${place}/thin_check`).find(
    (path) => context.machine.stat(path)?.kind === "file",
  );
  if (typeof metadata !== "object" || !("mapping" in metadata) || program === undefined) return;
  // The default of thin_check_options in lvm.conf.
  const argv = [program, "-q", "--clear-needs-check-flag", `/dev/mapper/${metadata.mapping}`];
  const result = runWithin(context, { argv, environment: {} }, LIMIT_MS);
  if (result === null) throw problem("thin-pool-unchecked", { pool: name, program, seconds: LIMIT_MS / 1000 });
  const { status, output } = result;
  if (status === 0) return;
  const [said = ""] = output.split("\n").filter((line) => line.trim() !== "");
  throw problem("thin-pool-damaged", { pool: name, program, status, said });
}
