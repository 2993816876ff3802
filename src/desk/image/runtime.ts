import { BootError } from "../../problems/errors.ts";
import type { ImageTree } from "../archive/tree.ts";
import { option } from "../command-line.ts";
import type { KernelConfig } from "../modules/kernel-config.ts";
import type { RuntimeKind } from "../program/init-program.ts";
import { addInit } from "../program/program.ts";

/** --runtime; null: what the kernel can do decides. */
export type RuntimeRequest = RuntimeKind | null;

/** Linux 4.3; the kinds of faults that the paged runtime needs are in every kernel with this option. */
const PAGING_OPTION = "USERFAULTFD";

const KINDS: readonly RuntimeKind[] = ["paged", "plain"];

/** Parses the value of --runtime. Throws BootError. */
export function parseRuntime(text: string): RuntimeKind {
  const kind = KINDS.find((known) => known === text);
  if (kind !== undefined) return kind;
  throw new BootError(`expected ${KINDS.join(" or ")} as runtime but received "${text}"`);
}

/** Which runtime /init gets, and what to say about it. */
export interface RuntimeChoice {
  readonly kind: RuntimeKind;
  /** Why it is not the usual one, for the summary; null: it is, or was asked for. */
  readonly reason: string | null;
  readonly warning: string | null;
}

/**
 * Chooses the runtime for a kernel: the requested one, else the paged one where the kernel can do it or nothing is known of it
 * (stage0 then unpacks everything when it starts). `available` are the kinds that the program has, the preferred one first;
 * `config` is null for an image without a kernel's modules.
 */
export function chooseRuntime(
  request: RuntimeRequest,
  available: readonly RuntimeKind[],
  config: KernelConfig | null,
): RuntimeChoice {
  const canPage = config?.(PAGING_OPTION) ?? null;
  const [usual = "plain"] = available;
  const isRefused = canPage === false && usual === "paged" && available.includes("plain");
  const kind = request ?? (isRefused ? "plain" : usual);
  const lacks = `the kernel is configured without CONFIG_${PAGING_OPTION}`;
  return {
    kind,
    reason: request === null && isRefused ? lacks : null,
    warning:
      kind === "paged" && canPage === false
        ? `${lacks}: each boot unpacks the whole runtime first; --runtime=plain boots faster`
        : null,
  };
}

/** The --runtime option of the commands that write an /init. */
export const RUNTIME_OPTION = {
  runtime: option(
    "KIND",
    "paged: unpack what is used; plain: for kernels without userfaultfd (default: by the kernel)",
  ),
} as const;

/** Adds this program, or the file `init`, as /init, with the runtime that `chooseRuntime` chooses. Throws BootError. */
export function addRuntime(
  tree: ImageTree,
  init: string | null,
  request: RuntimeRequest,
  config: KernelConfig | null,
): ReturnType<typeof addInit> & { readonly runtime: RuntimeChoice } {
  let runtime: RuntimeChoice = { kind: "plain", reason: null, warning: null };
  const added = addInit(tree, init, (kinds) => {
    runtime = chooseRuntime(request, kinds, config);
    return runtime.kind;
  });
  return { ...added, runtime };
}

/** Describes a choice for the user. */
export function describeRuntime({ kind, reason }: Omit<RuntimeChoice, "warning">): string {
  return reason === null ? kind : `${kind}: ${reason}`;
}
