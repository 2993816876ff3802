import { readFileSync, writeFileSync } from "node:fs";
import { linkStage0, X86_64 } from "../../build/stage0/link.ts";
import { STAGE0_ROOM } from "../../build/stage0/pack.ts";
import { loads, readElf } from "../../src/desk/program/elf.ts";
import { LEVAIN } from "./levain-image.ts";

/** Writes `<levain>.stage0`, which is stage0 with symbols at the addresses it has in dist/levain, and returns its path. */
export function writeStage0Symbols(levain = LEVAIN): string {
  const elf = readElf(readFileSync(levain), levain);
  const code = loads(elf).find(({ address, memorySize }) => address <= elf.entry && elf.entry < address + memorySize);
  if (code === undefined) throw new Error(`${levain} does not begin in one of its segments`);
  const path = `${levain}.stage0`;
  writeFileSync(path, linkStage0(X86_64, code.address, code.address + STAGE0_ROOM, "-g"));
  return path;
}
