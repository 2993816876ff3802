import { PT } from "../../src/desk/program/elf.ts";
import { readParts } from "../site.ts";
import { assemble, READ, segment } from "./assemble.ts";
import type { Parts } from "./checks.ts";
import { layOut } from "./layout.ts";
import { linkStage0 } from "./link.ts";

/** From the beginning of stage0 to its config, in bytes. */
const STAGE0_ROOM = 0x10000;

/** Packs the executable at `path` with this host's loader and libraries into one static file. Throws BootError. */
export function packFile(path: string, link = linkStage0): Uint8Array {
  return pack(readParts(path), link);
}

/**
 * Makes one static ELF (no PT_INTERP, no PT_DYNAMIC) that starts in stage0 and becomes the program. The program's bytes, with
 * only the names of its libraries changed, are followed by the libraries as plain bytes, stage0, its configuration, and the loader
 * at a fixed address. The same input gives the same bytes. Throws BootError for unsupported input.
 */
export function pack(input: Parts, link = linkStage0): Uint8Array {
  const layout = layOut(input, STAGE0_ROOM);
  const { target, stage0Address, configAddress, tableAddress, shelf } = layout;
  const stage0 = layout.readStage0(link(target, stage0Address, { config: configAddress, store: null }));
  const shelfPiece = {
    bytes: shelf.bytes,
    headers: [segment(PT.LOAD, shelf.bytes, shelf.address, READ, target.pageSize)],
  };
  const pieces = [shelfPiece, stage0.piece, ...layout.pieces];
  const file = assemble(input.program.bytes, stage0.entry, tableAddress, target.pageSize, pieces);
  layout.rename(file);
  return file;
}
