import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "bun";
import { BootError } from "../../problems/errors.ts";
import type { Voice } from "../../problems/voice.ts";
import { type Content, contentOfBytes } from "../archive/content.ts";
import { type ImageTree, putEntry } from "../archive/tree.ts";
import { attempt } from "../host.ts";
import { pack } from "../modules/packed-modules.ts";
import { isElf } from "../program/elf.ts";
import { saveFile, withTemporary } from "../temporary.ts";
import { findTool } from "../tool.ts";

const MODULE = /^\/lib\/modules\/.*\.ko(\.gz)?$/;
/** The end of a signed module (MODULE_SIG_STRING of linux/module_signature.h). Without the signature, a kernel that checks it refuses the module. */
const SIGNATURE = "~Module signature appended~\n";
/** Offsets in the header of a 64-bit ELF file: e_shoff, e_shentsize, e_shnum. */
const [SECTIONS_AT, SECTION_BYTES, SECTION_COUNT] = [0x28, 0x3a, 0x3c];

/** A file to strip, and the entries that share its content. */
interface Job {
  readonly content: Content;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly isModule: boolean;
  readonly isPacked: boolean;
}

/** Removes the symbols of modules and programs with strip(1): of modules only those for debugging, which the kernel does not need. Throws BootError. */
export function stripTree(tree: ImageTree, voice: Voice): void {
  const jobs = findJobs(tree);
  if (jobs.length === 0) return;
  voice.progress("removing symbols");
  const strip = findTool("strip", "remove symbols", ", or leave out --strip");
  const stripped = withTemporary((directory) => {
    const paths = jobs.map(({ bytes }, number) => saveFile(join(directory, String(number)), bytes));
    for (const isModule of [true, false]) {
      run(
        strip,
        isModule ? "--strip-debug" : "--strip-unneeded",
        paths.filter((_, at) => jobs[at]?.isModule === isModule),
      );
    }
    return new Map(jobs.map(({ content, isPacked }, at) => [content, read(paths[at] ?? "", isPacked)]));
  });
  for (const entry of [...tree.values()]) {
    const content = entry.kind === "file" ? stripped.get(entry.content) : undefined;
    if (entry.kind === "file" && content !== undefined) putEntry(tree, { ...entry, content });
  }
}

function read(path: string, isPacked: boolean): Content {
  const bytes = new Uint8Array(attempt("cannot read a temporary file", () => readFileSync(path)));
  return contentOfBytes(isPacked ? pack(bytes) : bytes);
}

function run(strip: string, option: string, paths: readonly string[]): void {
  if (paths.length === 0) return;
  const { exitCode, stderr } = Bun.spawnSync([strip, option, "--", ...paths], { stdin: "ignore", stdout: "ignore" });
  if (exitCode === 0) return;
  throw new BootError("strip could not remove the symbols of modules or programs", {
    seen: stderr.toString().trim().split("\n").slice(0, 5),
    hint: "leave out --strip (files for another kind of CPU need the strip of its binutils)",
  });
}

function findJobs(tree: ImageTree): readonly Job[] {
  const jobs = new Map<Content, Job>();
  for (const entry of tree.values()) {
    // Behind levain's own program there are others, which strip(1) would remove.
    if (entry.kind !== "file" || entry.path === "/init" || jobs.has(entry.content)) continue;
    const [, packed] = MODULE.exec(entry.path) ?? [];
    const isModule = MODULE.test(entry.path);
    if (!isModule && (entry.mode & 0o111) === 0 && !/\.so(\.|$)/.test(entry.path)) continue;
    const raw = new Uint8Array(Buffer.concat([...entry.content.chunks()]));
    const bytes = packed === undefined ? raw : gunzipSync(raw);
    if (canStrip(bytes))
      jobs.set(entry.content, { content: entry.content, bytes, isModule, isPacked: packed !== undefined });
  }
  return [...jobs.values()];
}

/** Whether a file is a 64-bit ELF file that ends with its table of sections: strip(1) drops what follows that. */
function canStrip(bytes: Uint8Array<ArrayBuffer>): boolean {
  const isSigned = Buffer.from(bytes.subarray(-SIGNATURE.length)).toString("latin1") === SIGNATURE;
  if (isSigned || !isElf(bytes) || bytes.length < 64 || bytes[4] !== 2) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = bytes[5] === 1;
  const end =
    Number(view.getBigUint64(SECTIONS_AT, isLittle)) +
    view.getUint16(SECTION_BYTES, isLittle) * view.getUint16(SECTION_COUNT, isLittle);
  return end === bytes.length;
}
