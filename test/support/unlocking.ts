import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "./cache.ts";
import { GUEST } from "./guest-architecture.ts";
import type { Vm } from "./qemu.ts";

/** What a person is asked, up to where they type, perhaps once more after a device has come; the volume is captured. */
const QUESTION = /^ {2}unlock {4}(.*(?:\n {12}(?!passphrase: ).*)*)\n(?: *passphrase: )+$/m;

/** Types a line at the next question on the serial line; returns which volume it was for, and what else the question says. */
export async function answer(vm: Vm, passphrase: string): Promise<string> {
  const [, volume = ""] = await vm.expect(QUESTION);
  vm.send(`${passphrase}\n`);
  return volume.replaceAll(/\n {12}/g, " ");
}

const KEYS: Readonly<Record<string, string>> = { " ": "spc", "\n": "ret", "-": "minus" };

/** Types on the guest's keyboard, which has the American layout. */
export async function typeKeys(vm: Vm, text: string): Promise<void> {
  for (const character of text) {
    const key = KEYS[character] ?? character.toLowerCase();
    const shift = /[A-Z]/.test(character) ? [{ type: "qcode", data: "shift" }] : [];
    await vm.monitor("send-key", { keys: [...shift, { type: "qcode", data: key }], "hold-time": 20 });
    await Bun.sleep(40);
  }
}

/** How often each text is found in the guest's memory, as UTF-8 and as UTF-16. */
export async function countInMemory(vm: Vm, memoryMib: number, texts: readonly Uint8Array[]): Promise<number[]> {
  const file = join(scratchDirectory(), "memory");
  await vm.monitor("pmemsave", { val: GUEST.memoryStart, size: memoryMib * 1024 * 1024, filename: file });
  const memory = readFileSync(file);
  rmSync(file);
  return texts.map((text) => {
    const wide = Buffer.from(Buffer.from(text).toString("latin1"), "utf16le");
    return countOf(memory, text) + countOf(memory, wide);
  });
}

function countOf(memory: Buffer, text: Uint8Array): number {
  let count = 0;
  for (let at = memory.indexOf(text); at >= 0; at = memory.indexOf(text, at + 1)) count += 1;
  return count;
}
