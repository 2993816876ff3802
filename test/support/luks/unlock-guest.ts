import { readLuksHeader } from "../../../src/formats/luks/read-header.ts";
import { aesDecryptor } from "../../../src/keys/area-decryptor.ts";
import { createDeriveKey } from "../../../src/keys/kdf.ts";
import { kernelDecryptor } from "../../../src/keys/kernel-decryptor.ts";
import { unlock } from "../../../src/keys/unlock.ts";
import { createLinuxMachine } from "../../../src/machine/linux/linux.ts";

// A program for a guest: opens each /volumes/NAME with the passphrase in /volumes/key, by the kernel's ciphers, and says whether
// the volume key is the one in /volumes/NAME.key, which cryptsetup made it with. With "explain": why it cannot be opened. It may load
// modules with `modprobe`, as levain's own loader would.
const [mode = "", ...names] = process.argv.slice(2);
const machine = createLinuxMachine();
const loaded = new Set<string>();
const kernel = kernelDecryptor(machine, (name) => {
  loaded.add(name);
  machine.run(["/bin/busybox", "modprobe", name], { capture: true });
});
const options = {
  deriveKey: createDeriveKey(machine),
  keyslot: null,
  memoryBytes: null,
  allowsNull: false,
  decryptors: [aesDecryptor, kernel],
};

for (const name of names) machine.writeConsole(`${mode}: ${name}: ${open(name)}\n`);
machine.writeConsole(`${mode}: ${names.length} volumes, ${[...loaded].sort().join(" ")}\n`);

function open(name: string): string {
  const reader = machine.openReader(`/volumes/${name}`);
  try {
    const found = unlock(readLuksHeader(reader), machine.readFile("/volumes/key"), options);
    if (found.kind !== "unlocked") return found.kind;
    const expected = machine.readFile(`/volumes/${name}.key`);
    return found.volumeKey.toHex() === expected.toHex() ? "same key" : "another key";
  } catch (error) {
    return [String(error), ...((error as { seen?: readonly string[] }).seen ?? [])].join("; ");
  } finally {
    reader.close();
  }
}
