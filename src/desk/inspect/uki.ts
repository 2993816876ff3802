import { holds } from "../../formats/bytes.ts";
import { type PeSection, readPe } from "../uki/pe.ts";

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

/** Reads a unified kernel image, and finds the initramfs in it (null: it has none); null for a kernel, and for what is no program for EFI. */
export function readUki(
  bytes: Uint8Array,
): { readonly summary: UkiSummary; readonly initrd: Uint8Array | null } | null {
  const pe = readPe(bytes);
  // The kernel is a program for EFI too, and has its own diagnosis.
  if (pe === null || holds(bytes, 0x202, "HdrS")) return null;
  const find = (name: string) => {
    const section = pe.sections.find((candidate) => candidate.name === name);
    return section === undefined ? null : bytes.subarray(section.offset, section.offset + section.size);
  };
  const text = (name: string) => {
    const data = find(name)?.subarray(0, TEXT_MAX_BYTES);
    return data === undefined ? null : new TextDecoder().decode(data).replace(/[\0\s]+$/, "");
  };
  const system = /^PRETTY_NAME=["']?(.*?)["']?$/m.exec(text(".osrel") ?? "")?.[1] ?? null;
  const sections = pe.sections.map(({ name, offset, size }) => ({ name, offset, size }));
  const summary = { sections, cmdline: text(".cmdline"), uname: text(".uname"), system, isSigned: pe.isSigned };
  return { summary, initrd: find(".initrd") };
}
