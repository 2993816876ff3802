import { afterMs } from "./guest-clock.ts";
import { type BootOptions, boot, type Vm } from "./qemu.ts";
import { noteLostGuest } from "./run-notes.ts";
import { isLost } from "./vital-signs.ts";

interface Retry {
  /** Runs before each boot. */
  readonly prepare?: () => void;
  /** Takes note of a guest that QEMU lost. */
  readonly note?: (what: string) => void;
}

/**
 * Boots a guest for `body` and ends it afterwards; an error gets the path of the console's log.
 * A guest that QEMU lost is booted once more, which is counted: test/run.ts says how many there were.
 */
export async function withVm(
  options: BootOptions,
  timeoutMs: number,
  body: (vm: Vm) => Promise<void>,
  { prepare = () => undefined, note = noteLostGuest }: Retry = {},
): Promise<void> {
  prepare();
  const first = await tryVm(options, timeoutMs, body);
  if (first === null) return;
  if (!first.isLost) throw first.error;
  note(`${options.name} (${first.log})`);
  prepare();
  const second = await tryVm(options, timeoutMs, body);
  if (second !== null) throw second.error;
}
/** Null where all went well. */
async function tryVm(
  options: BootOptions,
  timeoutMs: number,
  body: (vm: Vm) => Promise<void>,
): Promise<{ readonly error: unknown; readonly isLost: boolean; readonly log: string } | null> {
  const vm = await boot(options);
  const deadline = Promise.withResolvers<never>();
  const cancel = afterMs(vm.clock, timeoutMs, () => {
    const tail = vm.log().trimEnd().split("\n").slice(-40).join("\n");
    deadline.reject(new Error(`not done after ${timeoutMs} ms. The console's last lines:\n${tail}`));
  });
  try {
    await Promise.race([body(vm), deadline.promise]);
    if (process.env["LOG"]) console.log(`console log: ${vm.keepLog()}`);
    return null;
  } catch (error) {
    const lost = await isLost(vm);
    const log = vm.keepLog();
    if (error instanceof Error) error.message += `\nconsole log: ${log}`;
    return { error, isLost: lost, log };
  } finally {
    cancel();
    await vm.stop();
  }
}
