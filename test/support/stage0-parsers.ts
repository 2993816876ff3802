import { join } from "node:path";
import { scratchDirectory } from "./cache.ts";
import { runScript } from "./command.ts";

/** A question to stage0-parsers.c: two command lines with a NUL between them, or a handover message. */
export interface Question {
  readonly kind: "policy" | "handover";
  readonly bytes: Uint8Array;
}

// stage0's own memcpy would take the place of the sanitizer's.
const SCRIPT = `
cd "$1"
flags="-std=gnu11 -g -O1 -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all"
stage0="$2/../../build/stage0"
for part in text say policy handover entries empty prepare terminal; do
  gcc $flags -Dmemcpy=stage0_memcpy -Dmemset=stage0_memset -c "$stage0/$part.c"
done
gcc $flags "$2/stage0-parsers.c" *.o -o parsers
`;

let parsers: Promise<string> | null = null;

/** Asks stage0's own C, compiled with the address and undefined-behaviour sanitizers; throws with their words where they find something. */
export async function askParsers(questions: readonly Question[]): Promise<string[]> {
  parsers ??= compileParsers();
  const records = questions.flatMap(({ kind, bytes }) => [Buffer.from(`${kind[0]}${bytes.length}\n`), bytes]);
  const run = Bun.spawnSync([await parsers], { stdin: Buffer.concat(records), stdout: "pipe", stderr: "pipe" });
  const lines = run.stdout.toString().split("\n").slice(0, -1);
  if (run.exitCode !== 0 || lines.length !== questions.length) throw new Error(run.stderr.toString());
  return lines;
}

async function compileParsers(): Promise<string> {
  const directory = scratchDirectory();
  await runScript(SCRIPT, [directory, import.meta.dir]);
  return join(directory, "parsers");
}
