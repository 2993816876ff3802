import type { Vm } from "./qemu.ts";

/** Types a command in the guest, and waits for its answer. */
export async function ask(vm: Vm, command: string, answer: string | RegExp): Promise<void> {
  vm.send(`${command}\n`);
  await vm.expect(answer);
}

/** Runs a command in the guest, and returns what it prints. */
export async function askText(vm: Vm, command: string): Promise<string> {
  vm.send(`${command}; echo asked-$((40 + 2))\n`);
  const [, text = ""] = await vm.expect(/\n((?:.*\n)*?.*)asked-42/);
  return text;
}
