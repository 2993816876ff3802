import type { TableFormat } from "../model.ts";

/** "IBMA" in EBCDIC. */
export const AIX_MAGIC = "\xc9\xc2\xd4\xc1";

/** AIX: nothing but its first bytes is known. */
export const aix: TableFormat = {
  type: "aix",
  magics: [{ text: AIX_MAGIC, at: 0 }],
  recognise: () => ({ uuid: null, listPartitions: () => [] }),
};
