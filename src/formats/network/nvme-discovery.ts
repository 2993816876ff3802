import { decodeText } from "../text.ts";

/** A subsystem as a discovery service lists it; the texts are as the server has sent them. */
export interface NvmeSubsystem {
  readonly nqn: string;
  readonly address: string;
  readonly port: string;
}

/** Bytes of the header, and of each entry (NVMe over Fabrics 1.1a, 5.4). */
export const DISCOVERY_HEADER_BYTES = 1024;
export const DISCOVERY_ENTRY_BYTES = 1024;

/** Returns how many entries the log has, by its header (NUMREC); 0 for a header that is too short. */
export function countEntries(header: Uint8Array): number {
  if (header.length < DISCOVERY_HEADER_BYTES) return 0;
  return Number(new DataView(header.buffer, header.byteOffset).getBigUint64(8, true));
}

/** TRTYPE 3 is TCP; SUBTYPE 2 is a subsystem with disks, the others are further discovery services. */
const [TRTYPE_TCP, SUBTYPE_NVM] = [3, 2];

/** Parses the entries of the log; those of other transports and further discovery services are left out. */
export function parseEntries(bytes: Uint8Array): readonly NvmeSubsystem[] {
  const count = Math.floor(bytes.length / DISCOVERY_ENTRY_BYTES);
  const entries = Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * DISCOVERY_ENTRY_BYTES, (index + 1) * DISCOVERY_ENTRY_BYTES),
  );
  return entries
    .filter((entry) => entry[0] === TRTYPE_TCP && entry[2] === SUBTYPE_NVM)
    .map((entry) => ({
      nqn: readText(entry, 256, 256),
      address: readText(entry, 512, 256),
      port: readText(entry, 32, 32),
    }));
}

/** Padded with spaces or zeros. */
function readText(entry: Uint8Array, offset: number, length: number): string {
  return (decodeText(entry.subarray(offset, offset + length)).split("\0")[0] ?? "").trimEnd();
}
