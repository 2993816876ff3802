import { FINDINGS, type FindingRow, type Level } from "./findings.ts";

type Code = keyof typeof FINDINGS;
type FactsOf<Name extends Code> = Parameters<(typeof FINDINGS)[Name]["text"]>[0];

/** What was found, for a person and for `--json`. */
export interface Finding {
  readonly code: Code;
  readonly level: Level;
  readonly text: string;
  readonly cure: string;
}

/** Makes a finding from a row of the table. */
export function finding<Name extends Code>(code: Name, facts: FactsOf<Name>): Finding {
  const { level, text, cure } = FINDINGS[code] as FindingRow<FactsOf<Name>>;
  return { code, level, text: text(facts), cure: cure(facts) };
}

/** Returns the exit status: 0 if the machine boots, 1 if it will not, 2 if that is doubtful. */
export function statusOf(findings: readonly Finding[]): 0 | 1 | 2 {
  const has = (level: Level) => findings.some((found) => found.level === level);
  if (has("fatal")) return 1;
  return has("doubtful") ? 2 : 0;
}
