import * as v from "valibot";
import { problem } from "../problems/problem.ts";
import { printable } from "../problems/report.ts";

const FIELDS = v.object({
  version: v.literal(1),
  /** `uname -r` of the kernel whose modules the image holds; null without modules. */
  kernel: v.nullable(v.string()),
  /** The parameters of levain.toml, which those of /proc/cmdline override. */
  parameters: v.pipe(v.array(v.string()), v.readonly()),
  /** More of them for single machines, by the names of the tables [machine."…"]. */
  machines: v.optional(v.record(v.string(), v.pipe(v.array(v.string()), v.readonly()))),
});

/**
 * /etc/levain.json, which `levain image` writes and the boot reads. Images of other builders have none, so everything
 * in it has a default.
 */
export type Manifest = Readonly<v.InferOutput<typeof FIELDS>>;

/** Parses /etc/levain.json. Throws BootError for a malformed manifest; ignores unknown fields. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const result = v.safeParse(FIELDS, parseJson(bytes));
  if (result.success) return result.output;
  const seen = result.issues.map((issue) => {
    const path = v.getDotPath(issue) ?? "the whole file";
    return printable(`${path}: Expected ${issue.expected ?? "something else"} but received ${issue.received}`);
  });
  throw problem("manifest-malformed", {}, { seen });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw problem("manifest-damaged", {}, { cause });
  }
}
