import { closeSync, fstatSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { withTemporary } from "../temporary.ts";
import { findTool, type Tool } from "../tool.ts";

const TAIL_BYTES = 4096;
const SEEN_MAX = 5;
const LOOK_MS = 250;
const APART = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
/** Shows a file in the place of another one. */
const IN_PLACE = [...APART, "/bin/sh", "-euc", 'mount --bind "$1" "$2"; shift 2; exec "$@"', "sh"];

/** How a program runs. */
export interface Run {
  readonly stdin?: Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
  /** The program sees this file empty, in a mount namespace of its own; needs root. */
  readonly emptied?: string | null;
  /** The program may mount and start what it wants: all of that ends with it. Needs root. */
  readonly isApart?: boolean;
  /** Gets the end of what the program has printed so far, a few times a second. */
  readonly watch?: (printed: string) => void;
}

/** A private directory for files that are needed only until the end, and the programs that write there. */
export interface Workspace {
  path(name: string): string;
  /** Runs a program in the directory to its end; returns the end of what it printed. Throws a BootError "cannot `purpose`: …". */
  run(tool: Tool, purpose: string, args: readonly string[], how?: Run): Promise<string>;
  /** Removes one more file at the end, unless it was renamed until then. */
  removeLater(path: string): void;
}

/** Makes a private directory in `parent` for `use`; removes it afterwards, also if a signal ends the program. */
export function withWorkspace<T>(parent: string, use: (workspace: Workspace) => Promise<T>): Promise<T> {
  return withTemporary(
    async (directory, onSignal) => {
      const others: string[] = [];
      const children = new Set<Bun.Subprocess>();
      const clean = () => {
        for (const child of children) child.kill("SIGKILL");
        for (const path of others) rmSync(path, { force: true });
      };
      onSignal(clean);
      try {
        return await use({
          path: (name) => join(directory, name),
          run: (tool, purpose, args, how = {}) => {
            const program = [findTool(tool, purpose), ...args];
            return runToEnd(children, directory, { tool, purpose, argv: runApart(directory, how, program), how });
          },
          removeLater: (path) => others.push(path),
        });
      } finally {
        clean();
      }
    },
    { parent, prefix: ".levain-usb-" },
  );
}

function runApart(directory: string, { emptied = null, isApart = false }: Run, program: readonly string[]) {
  if (emptied === null) return isApart ? [...APART, ...program] : program;
  const empty = join(directory, "empty");
  writeFileSync(empty, "", { mode: 0o444 });
  return [...IN_PLACE, empty, emptied, ...program];
}

interface Job {
  readonly tool: Tool;
  readonly purpose: string;
  readonly argv: readonly string[];
  readonly how: Run;
}

/** What the program prints goes to a file: the end of a pipe is missed now and then when many programs run at once. */
async function runToEnd(children: Set<Bun.Subprocess>, directory: string, { tool, purpose, argv, how }: Job) {
  const { stdin, environment, watch } = how;
  const output = openSync(join(directory, "output"), "w+", 0o600);
  const timer = watch && setInterval(() => watch(readEnd(output)), LOOK_MS);
  try {
    const child = Bun.spawn([...argv], {
      cwd: directory,
      env: { ...process.env, ...environment, LC_ALL: "C" },
      stdin: stdin ?? "ignore",
      ...{ stdout: output, stderr: output },
    });
    children.add(child);
    const status = await child.exited;
    children.delete(child);
    const printed = readEnd(output);
    if (status === 0) return printed;
    const end = child.signalCode === null ? "failed" : `was ended by ${child.signalCode}`;
    const seen = lastLines(printed);
    const space = "free some space, or name another directory: by --output FILE, or for a disk in $TMPDIR";
    throw new BootError(
      `cannot ${purpose}: ${tool} ${end}`,
      // What it printed found no space either, and what it wrote it has removed.
      seen.length > 0
        ? { seen }
        : { seen: [`it printed nothing, as if ${printable(directory)} were full`], hint: space },
    );
  } finally {
    clearInterval(timer);
    closeSync(output);
  }
}

function lastLines(printed: string): readonly string[] {
  const lines = printed.split(/[\r\n]+/).map((line) => printable(line.trim()));
  return lines.filter((line) => line !== "").slice(-SEEN_MAX);
}

function readEnd(file: number): string {
  const { size } = fstatSync(file);
  const bytes = new Uint8Array(Math.min(size, TAIL_BYTES));
  const count = readSync(file, bytes, 0, bytes.length, size - bytes.length);
  return new TextDecoder().decode(bytes.subarray(0, count));
}
