import { ArchiveError } from "../../formats/tar/fault.ts";
import { decodeOrder, encodeNews, type UnpackNews, type UnpackOrder } from "./order.ts";
import { type Unpacked, type UnpackMachine, unpackArchive } from "./unpack.ts";

/** Longer than a report takes, shorter than a person notices. */
const REPORT_EVERY_MS = 200;

/** Returns what unpacks an archive, in a process of its own: each order is answered with a report. */
export function createUnpacker(machine: UnpackMachine): (order: Uint8Array) => Promise<Uint8Array> {
  const unpacked: Unpacked = { source: null, entries: 0, bytes: 0, lost: new Set() };
  let state: UnpackNews["state"] = "running";
  let running: Promise<void> = Promise.resolve();
  return async (bytes) => {
    const order = decodeOrder(bytes);
    if (order !== null) {
      running = unpack(machine, order, unpacked).then((end) => {
        state = end;
      });
    }
    await Promise.race([running, Bun.sleep(REPORT_EVERY_MS)]);
    const { source, entries, bytes: unpackedBytes, lost } = unpacked;
    return encodeNews({ doneBytes: source?.doneBytes ?? 0, entries, unpackedBytes, lost: [...lost], state });
  };
}

async function unpack(machine: UnpackMachine, order: UnpackOrder, unpacked: Unpacked): Promise<UnpackNews["state"]> {
  try {
    await unpackArchive(machine, order, unpacked);
    return "done";
  } catch (error) {
    if (error instanceof ArchiveError) return error.fault;
    throw error;
  }
}
