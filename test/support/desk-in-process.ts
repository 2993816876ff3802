import { format } from "node:util";
import { runDesk } from "../../src/desk/cli.ts";
import { createLinuxMachine } from "../../src/machine/linux/linux.ts";
import type { Machine } from "../../src/machine/machine.ts";

/** What came of `levain …`, run in this process. */
export interface DeskAnswer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const own = createLinuxMachine();

/**
 * Runs `levain …` in this process, with the width of a console: loading it in another one takes 0.5 s of CPU time. `desk-command.ts`
 * is for what depends on the process: its memory, its descriptors, its environment.
 */
export const desk = (...argv: readonly string[]): Promise<DeskAnswer> => deskOn(own, ...argv);

/** The same on another machine. */
export async function deskOn(machine: Machine, ...argv: readonly string[]): Promise<DeskAnswer> {
  const { error } = console;
  const [out, err] = [process.stdout, process.stderr].map(capture);
  if (out === undefined || err === undefined) throw new Error("no streams");
  console.error = (...values: unknown[]) => void err.texts.push(`${format(...values)}\n`);
  try {
    const status = await runDesk(argv, machine);
    return { status, stdout: out.texts.join(""), stderr: err.texts.join("") };
  } finally {
    Object.assign(console, { error });
    out.release();
    err.release();
  }
}

/** Keeps what is written to the stream, which is no terminal until `release`. */
function capture(stream: NodeJS.WriteStream) {
  const texts: string[] = [];
  const replaced = ["write", "columns", "isTTY"].map(
    (name) => [name, Object.getOwnPropertyDescriptor(stream, name)] as const,
  );
  const write = (text: string | Uint8Array) => texts.push(Buffer.from(text).toString()) > 0;
  for (const [name, value] of Object.entries({ write, columns: undefined, isTTY: false }))
    Object.defineProperty(stream, name, { value, configurable: true, writable: true });
  const release = () => {
    for (const [name, before] of replaced) {
      if (before === undefined) Reflect.deleteProperty(stream, name);
      else Object.defineProperty(stream, name, before);
    }
  };
  return { texts, release };
}
