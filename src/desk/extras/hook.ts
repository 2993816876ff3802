import { accessSync, constants, statSync } from "node:fs";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { type Content, contentOfBytes } from "../archive/content.ts";
import { type ImageEntry, type ImageTree, putEntry } from "../archive/tree.ts";
import { attempt } from "../host.ts";
import { addFromHost } from "../image/addition.ts";
import type { KernelChoice } from "../modules/kernel.ts";
import { withTemporary } from "../temporary.ts";

const LAST_LINES = 5;

/**
 * Runs programs one after the other, and adds what they leave in the directory $DESTDIR. They are called as hooks of
 * initramfs-tools(7): without arguments, with DESTDIR, version and MODULESDIR in the environment. Throws BootError if one fails.
 */
export function runHooks(tree: ImageTree, hooks: readonly string[], kernel: KernelChoice | null, voice: Voice): void {
  if (hooks.length === 0) return;
  withTemporary((directory) => {
    const own = {
      DESTDIR: directory,
      version: kernel?.version ?? "",
      MODULESDIR: kernel?.modulesDir ?? "",
      verbose: "n",
    };
    for (const hook of hooks) {
      voice.progress(`running ${printable(hook)}`);
      runOne(hook, { ...process.env, ...own });
    }
    const added: ImageTree = new Map();
    addFromHost(added, { source: directory, destination: "/" }, voice);
    const inMemory = new Map<Content, Content>();
    for (const entry of added.values()) putEntry(tree, keepContent(entry, inMemory));
  });
}

/** The directory is gone when the image is written. Names of one file stay that. */
function keepContent(entry: ImageEntry, inMemory: Map<Content, Content>): ImageEntry {
  if (entry.kind !== "file") return entry;
  const content = inMemory.get(entry.content) ?? contentOfBytes(Buffer.concat([...entry.content.chunks()]));
  inMemory.set(entry.content, content);
  return { ...entry, content };
}

function runOne(hook: string, env: Record<string, string | undefined>): void {
  const what = `cannot run the hook ${printable(hook)}`;
  const hint = "a hook is a program that can be executed: chmod +x, and a first line such as #!/bin/sh";
  attempt(what, () => accessSync(hook, constants.X_OK), hint);
  if (attempt(what, () => statSync(hook)).isDirectory()) throw new BootError(`${what}: it is a directory`, { hint });
  const { exitCode, signalCode, stdout, stderr } = attempt(
    what,
    () => Bun.spawnSync([hook], { env, stdin: "ignore", stdout: "pipe", stderr: "pipe" }),
    hint,
  );
  if (exitCode === 0) return;
  const said = `${stdout}${stderr}`.split("\n").filter((line) => line.trim() !== "");
  throw new BootError(`the hook ${printable(hook)} failed with ${signalCode ?? `status ${exitCode}`}`, {
    seen: said.slice(-LAST_LINES),
    hint: "no image was written; correct the hook, or leave it out",
  });
}
