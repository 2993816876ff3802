import { wrapLine } from "../problems/report.ts";
import { normaliseName } from "./cmdline.ts";
import { MEDIA } from "./dialects/media.ts";
import { PERSISTENCE } from "./dialects/persistence.ts";
import type { Alias, Parameter } from "./parameter.ts";
import { ARRAYS } from "./tables/arrays.ts";
import { CHECKS } from "./tables/checks.ts";
import { CRYPT, CRYPT_DIALECTS } from "./tables/crypt.ts";
import { DOWNLOADS } from "./tables/downloads.ts";
import { ISCSI } from "./tables/iscsi.ts";
import { NETWORK } from "./tables/network.ts";
import { OVERLAY } from "./tables/overlay.ts";
import { REMOTE } from "./tables/remote.ts";
import { RESUME } from "./tables/resume.ts";
import { LAYERS, ROOT } from "./tables/root.ts";
import { SUBMOUNTS } from "./tables/submounts.ts";
import { RESCUE, SYSTEM } from "./tables/system.ts";
import { VERITY } from "./tables/verity.ts";

/** THE table: every implemented parameter, by the planner's name for it. */
export const PARAMETERS = {
  ...ROOT,
  ...LAYERS,
  ...DOWNLOADS,
  ...OVERLAY,
  ...SUBMOUNTS,
  ...MEDIA,
  ...PERSISTENCE,
  ...VERITY,
  ...CHECKS,
  ...ARRAYS,
  ...RESUME,
  ...NETWORK,
  ...REMOTE,
  ...ISCSI,
  ...CRYPT,
  ...CRYPT_DIALECTS,
  ...SYSTEM,
  ...RESCUE,
};

/** The planner's name of a parameter. */
export type ParameterKey = keyof typeof PARAMETERS;

type Value<K extends ParameterKey> = ReturnType<(typeof PARAMETERS)[K]["parse"]>;
type Element<T> = T extends readonly (infer E)[] ? E : T;

/** The value of each parameter, undefined if it is not given; of lists all values, in their order. */
export type Settings = {
  readonly [K in ParameterKey]: (typeof PARAMETERS)[K] extends { isList: true }
    ? readonly Element<Value<K>>[]
    : Value<K> | undefined;
};

/** The table in groups, for the documentation. */
export const PARAMETER_GROUPS: readonly { readonly title: string; readonly rows: readonly Parameter[] }[] = [
  { title: "The root device", rows: Object.values(ROOT) },
  { title: "Images and layers", rows: Object.values(LAYERS) },
  { title: "Images on web servers", rows: Object.values(DOWNLOADS) },
  { title: "The writable overlay", rows: Object.values(OVERLAY) },
  { title: "Below the root", rows: Object.values(SUBMOUNTS) },
  { title: "Media of other systems", rows: [...Object.values(MEDIA), ...Object.values(PERSISTENCE)] },
  { title: "Verified roots and images", rows: [...Object.values(VERITY), ...Object.values(CHECKS)] },
  { title: "RAID", rows: Object.values(ARRAYS) },
  { title: "Hibernation", rows: Object.values(RESUME) },
  { title: "The network", rows: Object.values(NETWORK) },
  { title: "Disks on servers", rows: [...Object.values(REMOTE), ...Object.values(ISCSI)] },
  { title: "Encrypted devices", rows: [...Object.values(CRYPT), ...Object.values(CRYPT_DIALECTS)] },
  { title: "Modules and the real init", rows: Object.values(SYSTEM) },
  { title: "Failures and messages", rows: Object.values(RESCUE) },
];

/** The rows with their keys, in the table's order. */
export const PARAMETER_ROWS = Object.entries(PARAMETERS) as readonly (readonly [ParameterKey, Parameter])[];

/** A row that a name belongs to, and the alias, unless it is the row's own name. */
export interface Match {
  readonly key: ParameterKey;
  readonly row: Parameter;
  readonly alias: Alias | null;
}

const MATCHES: ReadonlyMap<string, readonly Match[]> = Map.groupBy(
  PARAMETER_ROWS.flatMap(([key, row]) => [null, ...row.aliases].map((alias): Match => ({ key, row, alias }))),
  ({ row, alias }) => normaliseName(alias?.name ?? row.name),
);

/** Returns the rows that a parameter of this name sets; more than one for a few aliases, none for a name that is not levain's. */
export function findParameters(name: string): readonly Match[] {
  return MATCHES.get(normaliseName(name)) ?? [];
}

const INDENT = 6;

/** Formats the table of parameters for a terminal of `columns`: `levain help parameters`. */
export function describeParameters(columns: number): string {
  const head = "Kernel command line parameters. - and _ in names are equal. Of several values, the last counts.";
  const lines = [...wrapLine(head, 0, columns), ""];
  for (const { title, rows } of PARAMETER_GROUPS) {
    lines.push(title, "");
    for (const row of rows) lines.push(...describeRow(row, columns), "");
  }
  return lines.join("\n");
}

/** Formats the rows that a parameter's name, or another program's name for it, belongs to; empty for an unknown name. */
export function describeParameter(name: string, columns: number): readonly string[] {
  const example = ({ example: text }: Parameter) => wrapLine(`${" ".repeat(INDENT)}Example: ${text}`, INDENT, columns);
  return findParameters(name).flatMap(({ row }) => [...describeRow(row, columns), ...example(row)]);
}

/** Every name of a parameter, other programs' names too. */
export function listParameterNames(): readonly string[] {
  return PARAMETER_ROWS.flatMap(([, { name, aliases }]) => [name, ...aliases.map((alias) => alias.name)]);
}

function describeRow(row: Parameter, columns: number): readonly string[] {
  const spellings = `  ${[row.syntax, ...row.aliases.map(({ syntax }) => syntax)].join("  ")}`;
  const text = `${" ".repeat(INDENT)}${row.text}${row.fallback === null ? "" : ` Default: ${row.fallback}.`}`;
  return [...wrapLine(spellings, INDENT - 2, columns), ...wrapLine(text, INDENT, columns)];
}
