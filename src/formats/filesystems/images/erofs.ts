import { le32 } from "../../bytes.ts";
import type { FindFlaw } from "./flaw.ts";

/** Finds an EROFS that is cut off, by `blocks` and `blkszbits` of struct erofs_super_block (fs/erofs/erofs_fs.h). */
export const findErofsFlaw: FindFlaw = (source) => {
  const sb = source.read(1024, 128);
  const wholeBytes = le32(sb, 36) * 2 ** Math.min(sb[12] ?? 0, 16);
  return wholeBytes > source.size ? { kind: "short", wholeBytes } : null;
};
