import { writeFileSync } from "node:fs";
import { linkStage0, X86_64 } from "../../build/stage0/link.ts";
import { CONFIG_MAGIC, loads, readElf, STORE_MAGIC } from "../../src/desk/program/elf.ts";
import { initProgramKinds } from "../../src/desk/program/init-program.ts";
import { holds } from "../../src/formats/bytes.ts";
import { initBytes } from "./init-bytes.ts";
import { LEVAIN } from "./levain-image.ts";

/** Writes `<levain>.stage0`, which is stage0 with symbols at the addresses it has in the /init of images; returns its path. */
export function writeStage0Symbols(levain = LEVAIN): string {
  const [kind = "plain"] = initProgramKinds(levain);
  const bytes = initBytes(kind, levain);
  const elf = readElf(bytes, levain);
  const find = (magic: string) => loads(elf).find(({ offset }) => holds(bytes, offset, magic))?.address ?? null;
  const code = loads(elf).find(({ address, memorySize }) => address <= elf.entry && elf.entry < address + memorySize);
  const config = find(CONFIG_MAGIC);
  if (code === undefined || config === null) throw new Error(`${levain} does not begin in one of its segments`);
  const path = `${levain}.stage0`;
  writeFileSync(path, linkStage0(X86_64, code.address, { config, store: find(STORE_MAGIC) }, "-g"));
  return path;
}
