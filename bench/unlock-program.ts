import { CHILD_COMMANDS } from "../src/machine/child-commands.ts";
// The measured program, packed as levain is: `PROGRAM once IMAGE KEYFILE` unlocks a header as a boot does and prints the time;
// `PROGRAM runs RUNS HEADERS` does so for all headers, in turns with cryptsetup; as an init, for those of /headers.json.

import { createFindHash } from "../src/crypto/hash.ts";
import { wipe } from "../src/crypto/secret.ts";
import { readLuksHeader } from "../src/formats/luks/read-header.ts";
import { aesDecryptor } from "../src/keys/area-decryptor.ts";
import { answerOrder, createDeriver } from "../src/keys/deriver.ts";
import { unlock } from "../src/keys/unlock.ts";
import { createLinuxMachine } from "../src/machine/linux/linux.ts";
import { readAvailableMemory } from "../src/machine/small-files.ts";
import type { TimedHeader } from "./unlock-headers.ts";

const CRYPTSETUP = "/sbin/cryptsetup";
const machine = createLinuxMachine();
const decoder = new TextDecoder();

/** Measures from the header's first byte to the volume key, in a new process. */
function timeUnlock(image: string, keyFile: string): number {
  const passphrase = machine.readFile(keyFile);
  const reader = machine.openReader(image);
  const startMs = machine.nowMs();
  const deriver = createDeriver(machine);
  const header = readLuksHeader(reader);
  deriver.prepare(header);
  const found = unlock(header, passphrase, {
    deriveKey: (kdf, secret, length) => deriver.derive(kdf, secret, length, () => undefined),
    findHash: createFindHash(machine),
    decryptors: [aesDecryptor],
    memoryBytes: readAvailableMemory(machine),
    allowsNull: false,
    keyslot: null,
  });
  const tookMs = machine.nowMs() - startMs;
  deriver.close();
  if (found.kind !== "unlocked") throw new Error(`${image}: ${found.kind}`);
  wipe(passphrase, found.volumeKey);
  return tookMs;
}

/** Measures a run of a program, which must succeed. */
function timeProgram(...argv: readonly string[]): { readonly tookMs: number; readonly output: string } {
  const startMs = machine.nowMs();
  const { status, output } = machine.run(argv, { capture: true });
  const tookMs = machine.nowMs() - startMs;
  if (status !== 0) throw new Error(`${argv.join(" ")}: status ${status}\n${output}`);
  return { tookMs, output };
}

/** Prints a line of JSON for each: [header, ours, cryptsetup's, cryptsetup's start-up alone], in milliseconds. */
function timeInTurn(self: string, runs: number, headers: readonly TimedHeader[]): void {
  for (let count = 0; count < runs; count++) {
    for (const { name, image, keyFile } of headers) {
      const oursMs = Number(timeProgram(self, "once", image, keyFile).output);
      const theirs = timeProgram(CRYPTSETUP, "open", "--test-passphrase", "--key-file", keyFile, image);
      const idle = timeProgram(CRYPTSETUP, "--version");
      console.log(`timed ${JSON.stringify([name, oursMs, theirs.tookMs, idle.tookMs])}`);
    }
  }
}

function runAsInit(): void {
  for (const [type, target] of [["sysfs", "/sys"] as const, ["tmpfs", "/run"] as const]) {
    machine.makeDirectory(target);
    machine.mount({ source: type, target, type, flags: [], options: "" });
  }
  const { runs, headers } = JSON.parse(decoder.decode(machine.readFile("/headers.json")));
  timeInTurn("/init", runs, headers);
  console.log("timed all");
  machine.power("poweroff");
}

const [task, first = "", second = ""] = process.argv.slice(2);
if (task === CHILD_COMMANDS.derive) void machine.serveParent((order) => answerOrder(machine, order));
else if (task === "once") console.log(timeUnlock(first, second));
else if (task === "runs") timeInTurn("/proc/self/exe", Number(first), JSON.parse(second));
else runAsInit();
