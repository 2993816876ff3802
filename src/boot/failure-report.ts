import type { BootRecord } from "../log/boot-record.ts";
import type { Console } from "../log/console.ts";
import type { Machine } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";
import { EVERY_NEED, report, wrapLines } from "../problems/report.ts";
import { showQr } from "../rescue/qr/show.ts";

/** What a person without a shell may have. */
export const WITHOUT_SHELL = EVERY_NEED.filter((need) => need !== "shell");

/** Returns the lines of all that has failed; null is no failure. */
export function reportFailures(failures: readonly unknown[], hasShell: boolean): string[] {
  const needs = hasShell ? EVERY_NEED : WITHOUT_SHELL;
  return failures.flatMap((failure) => (failure === null ? [] : report(failure, needs)));
}

interface Failure {
  readonly error: unknown;
  readonly rescue: BootPlan["rescue"];
}

/** Shows the lines on every console, and a QR code on the screen. */
export function showFailure(machine: Machine, console: Console, record: BootRecord, { error, rescue }: Failure): void {
  console.trouble(wrapLines(record.failure));
  showQr(machine, record, error, rescue);
}
