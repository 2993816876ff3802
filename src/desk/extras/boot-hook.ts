import { accessSync, constants, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { readActions } from "../../boot/hooks/actions.ts";
import { HOOKS, type HookPoint } from "../../boot/hooks/run-hooks.ts";
import { STEP_NAMES } from "../../parameters/values.ts";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { contentOfBytes } from "../archive/content.ts";
import { type ImageTree, putEntry } from "../archive/tree.ts";
import { attempt } from "../host.ts";
import { addProgram } from "../program/program.ts";

/** A hook that runs during the boot, not while the image is built. */
export interface BootHook {
  readonly point: HookPoint;
  readonly file: string;
}

const POINTS: readonly string[] = [...STEP_NAMES, "failure"];

/** Divides the values of --hook: STEP:FILE is a hook of the boot, every other FILE one of the build. FILE may be relative to `directory`. */
export function parseHooks(texts: readonly string[], directory: string) {
  const all = texts.map((text) => {
    const point = POINTS.find((name) => text.startsWith(`${name}:`)) ?? null;
    return { point, file: resolve(directory, point === null ? text : text.slice(point.length + 1)) };
  });
  return {
    hooks: all.filter(({ point }) => point === null).map(({ file }) => file),
    bootHooks: all.filter((hook): hook is BootHook => hook.point !== null),
  };
}

/** Adds hooks of the boot: actions in TOML, or programs with what they need. Throws BootError. */
export function addBootHooks(tree: ImageTree, hooks: readonly BootHook[], machine: number): void {
  for (const { point, file } of hooks) {
    const path = `${HOOKS}/${point}.d/${basename(file)}`;
    const what = `cannot add the hook ${printable(file)}`;
    const hint = "a hook of the boot is a program that can be executed (chmod +x), or NAME.toml with actions";
    if (tree.has(path)) throw new BootError(`${what}: the step has another hook with this name`);
    if (!file.endsWith(".toml")) {
      attempt(what, () => accessSync(file, constants.X_OK), hint);
      addProgram(tree, file, path, machine);
      continue;
    }
    const bytes = attempt(what, () => readFileSync(file), hint);
    const actions = readActions(bytes);
    if (typeof actions === "string")
      throw new BootError(`${what}: it ${actions}`, { hint: "docs/hooks.md has examples" });
    putEntry(tree, { kind: "file", path, mode: 0o644, content: contentOfBytes(bytes) });
  }
}
