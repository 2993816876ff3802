import { printable } from "../../problems/report.ts";
import { parseIntegrityVolume } from "../crypt/integrity.ts";
import { tryParse } from "../parse.ts";

/** The file of systemd that names what dm-integrity checks. */
export const INTEGRITYTAB = "/etc/integritytab";

/** Reads integritytab(5) as parameters. As by systemd, a malformed line is ignored. */
export function parseIntegritytab(text: string): {
  readonly parameters: readonly string[];
  readonly ignored: readonly string[];
} {
  const lines = text.split("\n").map((line, index) => ({ number: index + 1, fields: line.trim().split(/\s+/) }));
  const read = lines
    .filter(({ fields: [first = ""] }) => first !== "" && !first.startsWith("#"))
    .map(({ number, fields }) => ({ number, ...readLine(fields) }));
  return {
    parameters: read.flatMap(({ value }) => value ?? []),
    ignored: read.flatMap(({ number, mistake }) =>
      mistake === undefined ? [] : printable(`line ${number}: expected ${mistake}`),
    ),
  };
}

function readLine([name = "", device = "", key = "-", options = "-"]: readonly string[]) {
  const more = [...(key === "-" ? [] : [`key=${key}`]), ...(options === "-" ? [] : [options])];
  const value = [`${name}:${device}`, ...more].join(",");
  const read = tryParse(parseIntegrityVolume, value);
  return "expected" in read ? { mistake: read.expected } : { value: `rd.integrity=${value}` };
}
