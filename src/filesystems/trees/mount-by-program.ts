import type { Context } from "../../drivers/context.ts";
import type { RunResult } from "../../machine/child.ts";
import type { Files } from "../../machine/machine.ts";
import type { ShareAccount } from "../../parameters/sources/share.ts";
import { problem } from "../../problems/problem.ts";
import { printable } from "../../problems/report.ts";
import { makePlace } from "../mount.ts";
import { type RunOrder, runWithin } from "../run-apart.ts";
import { createWait } from "./mount-tree.ts";

/** What a program of the image mounts. */
export interface ProgramOrder {
  readonly type: keyof typeof WAYS;
  readonly source: string;
  readonly target: string;
  readonly writable: boolean;
  /** As in fstab. */
  readonly options: string;
  readonly timeoutMs: number | null;
  readonly account: ShareAccount | null;
}

/** A program with its arguments; the first is its name. */
type Call = readonly string[];

/** How a type is mounted: of each stage, one call has to succeed. */
interface Way {
  readonly programs: readonly string[];
  readonly stages: (order: ProgramOrder, options: readonly string[]) => readonly (readonly Call[])[];
}

const WAYS = {
  /** zpool-import(8) looks for members in /dev/disk/by-id, which udev makes; mount.zfs(8) takes zfsutil unless the mount point is "legacy". */
  zfs: {
    programs: ["zpool", "mount.zfs"],
    stages({ source, target }, options) {
      const pool = source.replace(/\/.*$/, "");
      const mount = (more: readonly string[]) => [
        "mount.zfs",
        "-n",
        "-o",
        [...options, ...more].join(","),
        source,
        target,
      ];
      const imports = [
        ["zpool", "list", pool],
        ["zpool", "import", "-d", "/dev", "-N", "-o", "cachefile=none", pool],
      ];
      return [imports, [mount(["zfsutil"]), mount([])]];
    },
  },
  /** mount.cifs(8) gets user and password by its environment. */
  cifs: {
    programs: ["mount.cifs"],
    stages: ({ source, target, account }, options) => [
      [["mount.cifs", source, target, "-o", [...options, ...(account === null ? ["guest"] : [])].join(",")]],
    ],
  },
} as const satisfies Readonly<Record<string, Way>>;

const DIRECTORIES = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"];
const RETRY_MS = 2000;
/** What programs may take beyond the timeout, all together: one that has just been started should not be ended at once. */
const GRACE_MS = 10_000;

/** True for a type that the kernel does not mount without a program. */
export function needsProgram(type: string): type is ProgramOrder["type"] {
  return Object.hasOwn(WAYS, type);
}

/** Mounts by programs of the image, in another process, until they succeed or the time is up. Throws BootError. */
export function mountByProgram(context: Context, order: ProgramOrder): void {
  const { machine, drivers, undo } = context;
  const { type, source, target, account } = order;
  const { programs, stages }: Way = WAYS[type];
  const places = new Map(programs.map((name) => [name, requireProgram(machine, source, name)]));
  makePlace(machine, target);
  drivers.loadFilesystem(type, order.options);
  const given = order.options.split(",").filter((option) => option !== "");
  const options = [order.writable ? "rw" : "ro", ...given];
  const environment = account === null ? {} : { USER: account.username, PASSWD: account.password ?? "" };
  const wait = createWait(context, order, RETRY_MS);
  const endMs = machine.nowMs() + (order.timeoutMs ?? Number.POSITIVE_INFINITY) + GRACE_MS;
  const run = ([name = "", ...words]: Call) =>
    runUntil(endMs, context, order, { argv: [places.get(name) ?? name, ...words], environment });
  for (;;) {
    const failure = carryOut(stages(order, options), run);
    if (failure === null) {
      undo(() => machine.unmount(target));
      return;
    }
    if (!wait()) throw problem("tree-refused", { source, place: target, reasons: [failure], kernel: [] });
  }
}

function requireProgram(machine: Pick<Files, "stat">, source: string, name: string): string {
  const path = DIRECTORIES.map((directory) => `${directory}/${name}`).find((one) => machine.stat(one)?.kind === "file");
  if (path === undefined) throw problem("tree-without-program", { source, program: name });
  return path;
}

/** Returns why a stage failed, as its last call says; null for success. */
function carryOut(stages: ReturnType<Way["stages"]>, run: (call: Call) => string | null): string | null {
  for (const calls of stages) {
    let failure: string | null = null;
    for (const call of calls) {
      failure = run(call);
      if (failure === null) break;
    }
    if (failure !== null) return failure;
  }
  return null;
}

/** Runs a program; returns why it failed, or null. One that has not ended at `endMs` is killed: throws BootError. */
function runUntil(endMs: number, context: Context, { source, target }: ProgramOrder, order: RunOrder): string | null {
  const name = order.argv[0]?.replace(/^.*\//, "") ?? "";
  const startMs = context.machine.nowMs();
  const end = runWithin(context, order, endMs - startMs, `${name} for ${printable(source)}`);
  if (end !== null) return describeEnd(name, end);
  const seconds = Math.round((context.machine.nowMs() - startMs) / 1000);
  const reasons = [`${name} had not ended after ${seconds} s, so levain ended it: rd.timeout= is the limit`];
  throw problem("tree-refused", { source, place: target, reasons, kernel: [] });
}

function describeEnd(name: string, { status, output }: RunResult): string | null {
  if (status === 0) return null;
  const text = printable(output.trim().split("\n")[0] ?? "").replace(`${name}: `, "");
  return text === "" ? `${name} ended with status ${status}` : `${name}: ${text}`;
}
