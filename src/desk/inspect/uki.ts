import { type PeSection, readPe, sectionOf } from "../../formats/kernels/pe.ts";
import { isKernelFile } from "../kernels/kernel-facts.ts";

/** What `levain inspect` shows of a unified kernel image. */
export interface UkiSummary {
  readonly sections: readonly Pick<PeSection, "name" | "offset" | "size">[];
  /** The texts in it; null: it has no such section. */
  readonly cmdline: string | null;
  readonly uname: string | null;
  /** PRETTY_NAME of its os-release. */
  readonly system: string | null;
  readonly isSigned: boolean;
}

/** No text in a section is longer; a crafted one is cut off. */
const TEXT_MAX_BYTES = 64 << 10;

/** A unified kernel image; null for a part that it does not have. */
export interface Uki {
  readonly summary: UkiSummary;
  readonly linux: Uint8Array | null;
  readonly initrd: Uint8Array | null;
}

/** Reads a unified kernel image; null for a kernel, and for what is no program for EFI. */
export function readUki(bytes: Uint8Array): Uki | null {
  const pe = readPe(bytes);
  // The kernel is a program for EFI too, and has its own diagnosis.
  if (pe === null || isKernelFile(bytes)) return null;
  const text = (name: string) => {
    const data = sectionOf(bytes, pe, name)?.subarray(0, TEXT_MAX_BYTES);
    return data === undefined ? null : new TextDecoder().decode(data).replace(/\0.*$/s, "").trim();
  };
  const system = /^PRETTY_NAME=["']?(.*?)["']?$/m.exec(text(".osrel") ?? "")?.[1] ?? null;
  const sections = pe.sections.map(({ name, offset, size }) => ({ name, offset, size }));
  const summary = { sections, cmdline: text(".cmdline"), uname: text(".uname"), system, isSigned: pe.isSigned };
  return { summary, linux: sectionOf(bytes, pe, ".linux"), initrd: sectionOf(bytes, pe, ".initrd") };
}
