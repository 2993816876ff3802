import { BootError, SyscallError } from "../../problems/errors.ts";
import { be16, holds } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";
import { isBound, type LuksHeader, splitBytes } from "./header.ts";
import { LUKS1_BYTES, readLuks1 } from "./luks1.ts";
import { readLuks2 } from "./luks2.ts";

// Thirty-two keyslots of the largest real keys, of 128 bytes.
const MAX_MATERIAL_BYTES = 32 * splitBytes(128);
const REENCRYPTED = "LUKS\xde\xad";

/**
 * Reads the LUKS header of a device or file, and the key material of the keyslots that belong to the data. Nothing is read twice,
 * so what was checked is what is used. Throws BootError if there is no valid header, SyscallError if the device fails.
 */
export function readLuksHeader(source: ByteSource): LuksHeader {
  const start = new Uint8Array(source.read(0, LUKS1_BYTES));
  if (holds(start, 0, REENCRYPTED)) {
    throw new BootError("a reencryption of this LUKS1 volume was interrupted", {
      hint: "finish it on the machine where it started: cryptsetup-reencrypt, with its log file",
    });
  }
  // Without a first header there may still be the second one of LUKS2.
  const version = holds(start, 0, "LUKS\xba\xbe") ? be16(start, 6) : 2;
  if (version !== 1 && version !== 2) throw new BootError(`LUKS version ${version} is not known`);
  const header = version === 1 ? readLuks1(start, source.size) : readLuks2(source);
  return { ...header, material: readMaterial(source, header) };
}

function readMaterial(source: ByteSource, header: Omit<LuksHeader, "material">): ReadonlyMap<number, Uint8Array> {
  const slots = header.keyslots.filter(({ id, lock }) => lock !== null && isBound(header, id));
  const total = slots.reduce((sum, { keyBytes }) => sum + splitBytes(keyBytes), 0);
  if (total > MAX_MATERIAL_BYTES) throw new BootError("its keyslots are too large");
  return new Map(slots.flatMap(({ id, area, keyBytes }) => readArea(source, id, area.offset, splitBytes(keyBytes))));
}

/** An unreadable area is left out: another keyslot may unlock the volume. */
function readArea(source: ByteSource, id: number, offset: number, size: number): readonly [number, Uint8Array][] {
  try {
    const bytes = new Uint8Array(source.read(offset, size));
    return bytes.length === size ? [[id, bytes]] : [];
  } catch (error) {
    if (error instanceof SyscallError) return [];
    throw error;
  }
}
