import { BOOT } from "./diagnoses/boot.ts";
import { CHECKS } from "./diagnoses/checks.ts";
import { CRYPT } from "./diagnoses/crypt.ts";
import { DRIVERS } from "./diagnoses/drivers.ts";
import { FILESYSTEMS } from "./diagnoses/filesystems.ts";
import { KEYS } from "./diagnoses/keys.ts";
import { MAPPINGS } from "./diagnoses/mappings.ts";
import { DOWNLOADS } from "./diagnoses/network/downloads.ts";
import { ISCSI_PROBLEMS } from "./diagnoses/network/iscsi.ts";
import { NETWORK_PROBLEMS } from "./diagnoses/network/network.ts";
import { NFS_PROBLEMS } from "./diagnoses/network/nfs.ts";
import { NVME_PROBLEMS } from "./diagnoses/network/nvme.ts";
import { REMOTE } from "./diagnoses/network/remote.ts";
import { TREES } from "./diagnoses/network/trees.ts";
import { RESCUE } from "./diagnoses/rescue.ts";
import { PERSISTENCE } from "./diagnoses/stack/persistence.ts";
import { STACK } from "./diagnoses/stack/stack.ts";
import { STORES } from "./diagnoses/stack/stores.ts";
import { SUBMOUNTS } from "./diagnoses/stack/submounts.ts";
import { SYNC } from "./diagnoses/stack/sync.ts";
import { ARRAYS } from "./diagnoses/storage/arrays.ts";
import { RESUME_PROBLEMS } from "./diagnoses/storage/resume.ts";
import { STORAGE } from "./diagnoses/storage.ts";
import { VERITY } from "./diagnoses/verity.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { BootError, type ErrorDetail } from "./errors.ts";
import { printable } from "./report.ts";

/** THE table of diagnoses: every problem that can stop a boot, by a code that never changes. */
export const DIAGNOSES = {
  ...ARRAYS,
  ...BOOT,
  ...CHECKS,
  ...CRYPT,
  ...DOWNLOADS,
  ...NFS_PROBLEMS,
  ...TREES,
  ...REMOTE,
  ...NVME_PROBLEMS,
  ...ISCSI_PROBLEMS,
  ...DRIVERS,
  ...FILESYSTEMS,
  ...KEYS,
  ...MAPPINGS,
  ...NETWORK_PROBLEMS,
  ...PERSISTENCE,
  ...RESCUE,
  ...RESUME_PROBLEMS,
  ...STACK,
  ...STORAGE,
  ...STORES,
  ...SUBMOUNTS,
  ...SYNC,
  ...VERITY,
};

type ProblemCode = keyof typeof DIAGNOSES;
type FactsOf<Code extends ProblemCode> = Parameters<(typeof DIAGNOSES)[Code]["text"]>[0];

/** Returns the error for a problem: code and facts for the program, the text of the table for the user. `seen` and `cause` as in BootError. */
export function problem<Code extends ProblemCode>(
  code: Code,
  facts: FactsOf<Code>,
  { seen, cause }: Pick<ErrorDetail, "seen" | "cause"> = {},
): BootError {
  const row = DIAGNOSES[code] as Diagnosis<FactsOf<Code>>;
  const safe = onOneLine(facts);
  const message = [row.text(safe), ...(row.reasons?.(safe) ?? [])].join("\n");
  return new BootError(message, { code, facts, hints: row.hints?.(safe) ?? [], ...(seen && { seen }), cause });
}

/** Texts from a disk or the command line must not add lines to a report, such as a forged hint. */
function onOneLine<Value>(value: Value): Value {
  if (typeof value === "string") return printable(value) as Value;
  if (Array.isArray(value)) return value.map(onOneLine) as Value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, onOneLine(part)])) as Value;
}

/** Returns what `act` returns; an error becomes the cause of the problem `code`. */
export function orProblem<Code extends ProblemCode, T>(code: Code, facts: FactsOf<Code>, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw problem(code, facts, { cause });
  }
}

/** True if `error` is the problem `code`. */
export function isProblem(error: unknown, code: ProblemCode): error is BootError {
  return error instanceof BootError && error.code === code;
}
