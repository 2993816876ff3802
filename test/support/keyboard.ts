import type { Exit, Vm } from "./qemu.ts";

const EXIT_MS = 10_000;

/** Presses keys by QEMU's names for them, those of a chord joined by "+"; slowly, as a keyboard's queue holds only a few. */
export async function press(vm: Vm, ...chords: readonly string[]): Promise<void> {
  for (const chord of chords) {
    const keys = chord.split("+").map((data) => ({ type: "qcode", data }));
    await vm.monitor("send-key", { keys, "hold-time": 20 });
    await vm.pause(60);
  }
}

/** Types a line, which ends the guest, on the screen's keyboard, again and again: when the shell there begins to listen, the serial line does not say. */
export async function pressUntilExit(vm: Vm, ...chords: readonly string[]): Promise<Exit> {
  for (;;) {
    await press(vm, ...chords, "ret").catch(() => undefined); // QEMU may end between two keys
    const exit = await Promise.race([vm.exited, vm.pause(EXIT_MS)]);
    if (exit !== undefined) return exit;
  }
}
