import { CHECKER_PLACES } from "../../../filesystems/check.ts";
import { unlessRefused } from "../../../problems/errors.ts";
import { problem } from "../../../problems/problem.ts";
import { describeRefusal } from "../../../problems/report.ts";
import type { StorageContext } from "../../contract.ts";
import type { PlannedMapping } from "./tables/planning.ts";

/** Checks the metadata of a thin pool, as lvm2 does before it activates one, if the image has the program. Throws BootError if they are damaged: the kernel would make the pool read-only at some later time. */
export function checkThinPool(
  { machine }: Pick<StorageContext, "machine">,
  { name, targets }: Pick<PlannedMapping, "name" | "targets">,
): void {
  const [metadata] = targets.find(({ type }) => type === "thin-pool")?.words ?? [];
  const program = CHECKER_PLACES.map((place) => `${place}/thin_check`).find(
    (path) => machine.stat(path)?.kind === "file",
  );
  if (typeof metadata !== "object" || !("mapping" in metadata) || program === undefined) return;
  // The default of thin_check_options in lvm.conf.
  const argv = [program, "-q", "--clear-needs-check-flag", `/dev/mapper/${metadata.mapping}`];
  const { status, output } = unlessRefused(
    () => machine.run(argv, { capture: true }),
    (refusal) => ({ status: 127, output: describeRefusal(refusal) }),
  );
  if (status === 0) return;
  const [said = ""] = output.split("\n").filter((line) => line.trim() !== "");
  throw problem("thin-pool-damaged", { pool: name, program, status, said });
}
