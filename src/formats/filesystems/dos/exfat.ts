import type { Area } from "../../area.ts";
import { le32 } from "../../bytes.ts";
import type { Signature } from "../../signature.ts";
import { addBlockSize, addLabel, addSerial, addVersion } from "../../tags.ts";
import { toUtf8 } from "../../text.ts";

// Microsoft, exFAT file system specification, 3.1 and 7.3.
const FIRST_CLUSTER = 2;
const LAST_CLUSTER = 0xffffff6;
const ENTRY_BYTES = 32;
const END = 0x00;
const LABEL = 0x83;
const MAX_ENTRIES = 10000;

/** `tableStart` and `dataStart` are counted in blocks. */
type Layout = Readonly<Record<"blockBytes" | "clusterBytes" | "tableStart" | "dataStart", number>>;

function offsetOf({ dataStart, blockBytes, clusterBytes }: Layout, cluster: number): number {
  return dataStart * blockBytes + ((cluster - FIRST_CLUSTER) >>> 0) * clusterBytes;
}

/** Finds the entry of the root directory with the label, or null. */
function findLabel(area: Area, layout: Layout, rootCluster: number): Uint8Array | null {
  let cluster = rootCluster;
  let offset = offsetOf(layout, cluster);
  for (let i = 0; i < MAX_ENTRIES; i++) {
    const entry = area.bytes(offset, ENTRY_BYTES);
    if (entry === null || entry[0] === END) return null;
    if (entry[0] === LABEL) return entry;
    offset += ENTRY_BYTES;
    if (offset % layout.clusterBytes === 0) {
      const next = area.bytes(layout.tableStart * layout.blockBytes + cluster * 4, 4);
      cluster = next === null ? 0 : le32(next, 0);
      if (cluster < FIRST_CLUSTER || cluster > LAST_CLUSTER) return null;
      offset = offsetOf(layout, cluster);
    }
  }
  return null;
}

/** exFAT. */
export const exfat: Signature = {
  type: "exfat",
  usage: "filesystem",
  magics: [{ text: "EXFAT   ", at: 3 }],
  read(area, tags) {
    const boot = area.bytes(0, 120);
    if (boot === null) return false;
    const [minor = 0, major = 0] = boot.subarray(104, 106);
    const [blockLog = 0, clusterLog = 0] = boot.subarray(108, 110);
    // 32-bit arithmetic as in libblkid, which refuses a cluster of 0 bytes.
    const blockBytes = (1 << blockLog) >>> 0;
    const clusterBytes = (blockBytes << clusterLog) >>> 0;
    if (clusterBytes === 0) return false;
    const layout = { blockBytes, clusterBytes, tableStart: le32(boot, 80), dataStart: le32(boot, 88) };
    const entry = findLabel(area, layout, le32(boot, 96));
    const name = entry?.subarray(2, 2 + Math.min((entry[1] ?? 0) * 2, 22)) ?? new Uint8Array();
    addLabel(tags, toUtf8(name, "utf-16le"));
    addSerial(tags, boot.subarray(100, 104));
    addVersion(tags, `${major}.${minor}`);
    addBlockSize(tags, blockBytes);
    return true;
  },
};
