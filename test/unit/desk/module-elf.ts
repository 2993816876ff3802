import { EM } from "../../../src/desk/program/elf.ts";

/** A relocatable ELF file of this machine that is nothing but a .modinfo section with these strings. */
export function moduleElf(...modinfo: readonly string[]): Buffer {
  const info = Buffer.from(modinfo.map((entry) => `${entry}\0`).join(""), "latin1");
  const names = Buffer.from("\0.shstrtab\0.modinfo\0");
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(1, 16); // ET_REL
  header.writeUInt16LE(process.arch === "arm64" ? EM.AARCH64 : EM.X86_64, 18);
  header.writeBigUInt64LE(BigInt(64 + names.length + info.length), 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(3, 60);
  header.writeUInt16LE(1, 62);
  const none = Buffer.alloc(64);
  return Buffer.concat([
    header,
    names,
    info,
    none,
    sectionHeader(1, 64, names.length),
    sectionHeader(11, 64 + names.length, info.length),
  ]);
}

function sectionHeader(name: number, offset: number, size: number): Buffer {
  const header = Buffer.alloc(64);
  header.writeUInt32LE(name, 0);
  header.writeBigUInt64LE(BigInt(offset), 24);
  header.writeBigUInt64LE(BigInt(size), 32);
  return header;
}
