import { parser } from "../parse.ts";
import { readFlag } from "../values.ts";
import { parseStoreSpec, STORE_FORM, type StoreSpec } from "./store-spec.ts";

/** Where the log of a failed boot is saved: a filesystem, or a directory of it. */
export type LogSpec = StoreSpec & { readonly path: string | null };

/** Parses rd.log.save=; false: nowhere. */
export const logPlace = parser(`${STORE_FORM} or no`, (text): LogSpec | false | null => {
  if (readFlag(text) === false) return false;
  const spec = parseStoreSpec(text);
  return spec === null || spec.path === "auto" || readFlag(text) !== null ? null : spec;
});
