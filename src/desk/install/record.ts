import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { BootError } from "../../problems/errors.ts";
import { attempt } from "../host.ts";
import { replaceFile } from "./replace-file.ts";

/** Where `levain install` keeps what it has changed, below the root. */
export const RECORD = "/var/lib/levain/install.json";

const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const schema = v.object({
  version: v.literal(1),
  /** The program that the hooks call. */
  program: v.string(),
  /** The digest of that program, if it is a copy that levain install has made. */
  copied: v.nullable(digest),
  /** Files that were written, in their order, by their paths. */
  files: v.array(
    v.object({
      path: v.string(),
      /** Of the content that was written; null: a link to /dev/null. */
      sha256: v.nullable(digest),
      /** The content before, in base64; null: there was no such file. */
      before: v.nullable(v.string()),
      isDiverted: v.boolean(),
    }),
  ),
  /** Images that were built, by kernel versions. */
  images: v.record(
    v.string(),
    v.object({
      path: v.string(),
      /** null: it is being built, or that was interrupted. */
      sha256: v.nullable(digest),
      /** Where the image that was there before is kept, and the kernel it belongs to; null: there was none. */
      kept: v.nullable(v.object({ path: v.string(), kernel: v.nullable(digest) })),
    }),
  ),
});

/** What `levain install` has changed, so that `levain uninstall` can take it back. */
export type InstallRecord = v.InferOutput<typeof schema>;

/** Reads the record; null if nothing is installed. Throws BootError. */
export function readRecord(root: string): InstallRecord | null {
  const path = join(root, RECORD);
  const read = () => (statSync(path, { throwIfNoEntry: false }) ? readFileSync(path, "utf8") : null);
  const text = attempt(`cannot read ${path}`, read, "run the command as root");
  if (text === null) return null;
  const result = v.safeParse(schema, parseJson(text));
  if (result.success) return result.output;
  throw new BootError(`${path} is damaged: it does not say what levain install has changed`, {
    hint: "restore it from a backup, or remove the files that it names, and then it",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Writes the record, completely or not at all. Throws BootError. */
export function writeRecord(root: string, record: InstallRecord): void {
  replaceFile(join(root, RECORD), (path) =>
    writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`, { flush: true }),
  );
}
