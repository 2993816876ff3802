import type { KernelFacts } from "../kernels/kernel-facts.ts";
import type { KernelChoice } from "../modules/kernel.ts";
import type { UkiOptions } from "./options.ts";
import { checkSigningKey, signProgram } from "./sign.ts";
import { readUkiParts } from "./uki.ts";

/** What an initramfs is written as: as it is, or in a unified kernel image. */
export interface ImageForm {
  /** Of the file that is written by default. */
  readonly name: string;
  /** What the image fixes of the kernel command line; "": nothing. */
  readonly cmdline: string;
  /** For the summary; null: an initramfs as it is. */
  readonly uki: { readonly version: string; readonly cmdline: string | null; readonly isSigned: boolean } | null;
  /** Of the kernel in a unified kernel image. */
  readonly facts: KernelFacts | null;
  readonly wrap: (initramfs: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

/** Returns the form that the options ask for, with all that it needs read and checked. Throws BootError. */
export function chooseForm(options: UkiOptions | null, kernel: KernelChoice | null, root: string): ImageForm {
  if (options === null) {
    const name = `initramfs-${kernel?.version ?? "none"}.img`;
    return { name, cmdline: "", uki: null, facts: null, wrap: (initramfs) => initramfs };
  }
  const { version, facts, cmdline, join } = readUkiParts(options, kernel, root);
  const { sign } = options;
  if (sign !== null) checkSigningKey(sign);
  return {
    name: `linux-${version}.efi`,
    cmdline: cmdline ?? "",
    uki: { version, cmdline, isSigned: sign !== null },
    facts,
    wrap: async function* (initramfs) {
      // The headers before the initramfs say how long it is, so it is built in memory.
      const chunks: Uint8Array[] = [];
      for await (const chunk of initramfs) chunks.push(chunk.slice());
      const pieces = join(Buffer.concat(chunks));
      yield* sign === null ? pieces : [signProgram(pieces, sign)];
    },
  };
}
