import { EM } from "../../../src/desk/program/elf.ts";
import { PAGE, type Region } from "./memory.ts";

const EXECUTE = 4;

/** Encodes the code of a run in place, so that it compresses better by 6 %; returns the run. decode.c is the inverse. */
export type CodeFilter = (bytes: Buffer, page: number) => Buffer;

/**
 * Returns the filter for a program: in calls and jumps, the place that they lead to takes the place of the distance, so that two calls of
 * one function have the same bytes.
 */
export function codeFilter(regions: readonly Region[], { machine }: { readonly machine: number }): CodeFilter {
  const low = regions[0]?.address ?? 0;
  const isCode = ({ protection }: Region) => (protection & EXECUTE) !== 0;
  // Up to the end of the code, so that what follows it, the bundle, does not change the result.
  const size = (regions.findLast(isCode)?.memoryEnd ?? 0) - low;
  return (bytes, page) => {
    const address = page * PAGE;
    const region = regions.find((each) => each.address <= address && address < each.fileEnd);
    if (region === undefined || !isCode(region)) return bytes;
    if (machine === EM.AARCH64) encodeBranches(bytes, address - low);
    else encodeCalls(bytes, address - low, size);
    return bytes;
  };
}

/**
 * x86-64: E8 and E9, with the highest byte of the place first. Every distance has exactly one encoding: those that lead out of the code,
 * and are none, stay or change places with each other.
 */
function encodeCalls(bytes: Buffer, address: number, size: number): void {
  for (let at = 0; at + 5 <= bytes.length; at++) {
    if (((bytes[at] ?? 0) & 0xfe) !== 0xe8) continue;
    const here = address + at + 5;
    const distance = bytes.readInt32LE(at + 1);
    bytes.writeInt32BE(-here <= distance && distance < size ? encode(distance, here, size) : distance, at + 1);
    at += 4;
  }
}

function encode(distance: number, here: number, size: number): number {
  return distance < size - here ? distance + here : distance - size;
}

const BL = 0x94000000;
const DISTANCE = 0x03ffffff;

/** AArch64: BL, whose lower 26 bits are the distance in instructions. */
function encodeBranches(bytes: Buffer, address: number): void {
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const word = bytes.readUInt32LE(at);
    if ((word & ~DISTANCE) >>> 0 !== BL) continue;
    bytes.writeUInt32LE((BL | ((word + (address + at) / 4) & DISTANCE)) >>> 0, at);
  }
}
