import { BootError, SyscallError } from "../../problems/errors.ts";
import type { ByteSource } from "../facts.ts";
import { probe } from "../probe.ts";
import type { LuksHeader } from "./header.ts";
import { checkObjects } from "./luks2-checks.ts";
import { COPY_SIZES, type Luks2Copy, NO_HEADER, readCopy, readJsonArea } from "./luks2-copy.ts";
import { type Luks2Objects, readObjects } from "./luks2-objects.ts";

type Luks2Header = Omit<LuksHeader, "material">;

/** A valid copy with its objects, or why it cannot be used, with the copy if at least its checksum is right. */
type Reading =
  | { readonly copy: Luks2Copy; readonly objects: Luks2Objects; readonly fault: null }
  | { readonly copy: Luks2Copy | null; readonly fault: string };

/**
 * Reads the LUKS2 header of `source` without the key material: the newer of two valid copies, the first if they are equally new.
 * `warnings` reports a damaged copy. Throws BootError if no copy can be used.
 */
export function readLuks2(source: ByteSource): Luks2Header {
  const first = readOne(source, 0);
  const second = readSecond(source, first);
  const warnings: string[] = [];
  if (first.fault === null && (second.fault !== null || second.copy.epoch <= first.copy.epoch)) {
    if (second.fault !== null) warnings.push(`the second copy of the LUKS2 header is damaged: ${second.fault}`);
    else if (second.copy.epoch < first.copy.epoch) warnings.push("the second copy of the LUKS2 header is older");
    return describe(first.copy, first.objects, warnings);
  }
  if (second.fault !== null) {
    if (first.fault === NO_HEADER && second.fault === NO_HEADER) throw new BootError("there is no LUKS header");
    throw new BootError("both copies of the LUKS2 header are damaged", {
      seen: [`first: ${first.fault}`, `second: ${second.fault}`],
      hint: "restore a backup of the header: cryptsetup luksHeaderRestore",
    });
  }
  const fault = first.fault ?? "it is older";
  if (first.fault === NO_HEADER) refuseOverwritten(source);
  warnings.push(`the first copy of the LUKS2 header is damaged, the second is used: ${fault}`);
  return describe(second.copy, second.objects, warnings);
}

function readOne(source: ByteSource, offset: number): Reading {
  let copy: Luks2Copy | null = null;
  try {
    copy = readCopy(source, offset);
    const objects = readObjects(readJsonArea(copy.json));
    checkObjects(objects, copy.headerBytes, source.size);
    return { copy, objects, fault: null };
  } catch (error) {
    if (error instanceof BootError) return { copy, fault: error.message };
    if (error instanceof SyscallError) return { copy, fault: `it cannot be read (${error.code})` };
    throw error;
  }
}

/** Reads the second copy after the first; if that is damaged, and perhaps its length too, in each possible place. */
function readSecond(source: ByteSource, first: Reading): Reading {
  if (first.fault === null) return readOne(source, first.copy.headerBytes);
  let found: Reading = { copy: null, fault: NO_HEADER };
  for (const offset of COPY_SIZES) {
    const reading = readOne(source, offset);
    if (reading.fault === null) return reading;
    if (found.fault === NO_HEADER) found = reading;
  }
  return found;
}

/** Throws BootError if a filesystem was created over the first copy, which the second may survive: the device is not LUKS any more. cryptsetup does not repair it automatically either. */
function refuseOverwritten(source: ByteSource): void {
  const { type, ambivalent } = probe(hideCopies(source));
  if (type === null && ambivalent.length === 0) return;
  const content = type ?? ambivalent.join(" or ");
  throw new BootError(`the first copy of the LUKS2 header is gone, and the device holds ${content} now`, {
    hint: "if the device is meant to be LUKS: cryptsetup repair",
  });
}

/** Hides the second copy from the probe, which would recognise LUKS by it. */
function hideCopies(source: ByteSource): ByteSource {
  return {
    size: source.size,
    read(offset, length) {
      const bytes = new Uint8Array(source.read(offset, length));
      for (const place of COPY_SIZES) if (place >= offset && place < offset + bytes.length) bytes[place - offset] = 0;
      return bytes;
    },
  };
}

function describe(copy: Luks2Copy, objects: Luks2Objects, warnings: readonly string[]): Luks2Header {
  const { headerBytes: _header, json: _json, ...texts } = copy;
  const { jsonBytes: _jsonBytes, keyslotsBytes: _keyslots, ...rest } = objects;
  return { version: 2, ...texts, ...rest, warnings };
}
