/** Offset of IDENTIFY DEVICE in the ATA Information VPD page (SAT), and of its fields (ATA8-ACS), in bytes. */
const IDENTIFY_AT = 60;
const SERIAL = { at: 20, length: 20 } as const;
const MODEL = { at: 54, length: 40 } as const;

/** Returns the ID_SERIAL of ata_id: model and serial number from VPD page 0x89; null if the page is something else. */
export function ataIdentity(page: Uint8Array): string | null {
  if (page[1] !== 0x89 || page.length < IDENTIFY_AT + 512) return null;
  const [model, serial] = [MODEL, SERIAL].map((field) => ataText(page, field));
  if (model === undefined || model === "") return null;
  return serial === undefined || serial === "" ? model : `${model}_${serial}`;
}

/** ATA strings are words with the first character in the high byte. */
function ataText(page: Uint8Array, { at, length }: { readonly at: number; readonly length: number }): string {
  const swapped = Array.from({ length }, (_, index) => page[IDENTIFY_AT + at + (index ^ 1)] ?? 0x20);
  return String.fromCharCode(...swapped)
    .replace(/\0/g, " ")
    .trim();
}

/** Kinds of SPC designators, the best first (id_search_values of scsi_id). */
const PREFERENCE = [3, 2, 1, 0] as const;

interface Designator {
  readonly kind: number;
  readonly isBinary: boolean;
  readonly bytes: Uint8Array;
}

/** Returns the ID_SERIAL of scsi_id: the best designator of VPD page 0x83 after its kind, a vendor-specific one with `vendor` and `model`; null if there is none. */
export function scsiIdentity(page: Uint8Array, vendor: string, model: string): string | null {
  const designators = readDesignators(page);
  const isLong = ({ kind, bytes }: Designator): boolean => kind === 3 && bytes.length === 16;
  const best =
    designators.find(isLong) ??
    PREFERENCE.flatMap((kind) => designators.filter((designator) => designator.kind === kind))[0];
  if (best === undefined) return null;
  const text = best.isBinary ? Buffer.from(best.bytes).toString("hex") : Buffer.from(best.bytes).toString("latin1");
  const head = best.kind === 0 ? `${vendor.trim().padEnd(8)}${model.trim().padEnd(16)}` : "";
  return `${best.kind}${head}${text.replaceAll("\0", "")}`;
}

/** Reads the designators of the logical unit itself, within the page. */
function readDesignators(page: Uint8Array): readonly Designator[] {
  if (page[1] !== 0x83) return [];
  const end = Math.min(page.length, 4 + (page[2] ?? 0) * 256 + (page[3] ?? 0));
  const found: Designator[] = [];
  for (let at = 4; at + 4 <= end; at += 4 + (page[at + 3] ?? 0)) {
    const [codes = 0, type = 0, , length = 0] = page.subarray(at, at + 4);
    if ((type & 0x30) !== 0 || length === 0 || at + 4 + length > end) continue;
    found.push({ kind: type & 0x0f, isBinary: (codes & 0x0f) === 1, bytes: page.subarray(at + 4, at + 4 + length) });
  }
  return found;
}
