import * as v from "valibot";
import { BootError } from "../problems/errors.ts";
import { printable } from "../problems/report.ts";

/**
 * /etc/levain.json: what the builder knows and the boot obeys. Written by `levain image`, read and validated by the
 * init; a foreign image has none, and everything in it has a default.
 */
export interface Manifest {
  readonly version: 1;
  /** `uname -r` of the kernel whose modules the image holds; null without modules. */
  readonly kernel: string | null;
  /** Command line parameters from levain.toml that come before (so weaker than) those of /proc/cmdline. */
  readonly parameters: readonly string[];
}

const FIELDS = v.object({
  version: v.literal(1),
  kernel: v.nullable(v.string()),
  parameters: v.array(v.string()),
});

/**
 * The manifest from the bytes of /etc/levain.json. Throws a BootError that says what is wrong with it; fields it does
 * not know are left out.
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  const result = v.safeParse(FIELDS, parseJson(bytes));
  if (result.success) return result.output;
  const seen = result.issues.map((issue) => {
    const path = v.getDotPath(issue) ?? "the whole file";
    return printable(`${path}: Expected ${issue.expected ?? "something else"} but received ${issue.received}`);
  });
  throw new BootError("/etc/levain.json is not a manifest that this version of levain reads", { seen, hint: HINT });
}

const HINT = "build the image again with the levain that is its /init: levain image";

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new BootError("/etc/levain.json is damaged: it is not JSON", { hint: HINT, cause });
  }
}
