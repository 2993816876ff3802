import type * as v from "valibot";
import { normaliseName } from "./cmdline.ts";
import type { Alias, Parameter } from "./parameter.ts";
import { CRYPT } from "./tables/crypt.ts";
import { CRYPT_DIALECTS } from "./tables/crypt-dialects.ts";
import { EXTRAS, MEDIA } from "./tables/media.ts";
import { LAYERS, ROOT } from "./tables/root.ts";
import { RESCUE, SYSTEM } from "./tables/system.ts";

/** THE table: every parameter that is implemented, by the name the planner has for it. */
export const PARAMETERS = {
  ...ROOT,
  ...LAYERS,
  ...EXTRAS,
  ...MEDIA,
  ...CRYPT,
  ...CRYPT_DIALECTS,
  ...SYSTEM,
  ...RESCUE,
};

/** The planner's name of a parameter. */
export type ParameterKey = keyof typeof PARAMETERS;

type Output<K extends ParameterKey> = v.InferOutput<(typeof PARAMETERS)[K]["schema"]>;

/**
 * What was asked for: the last value of each parameter, undefined where it is not given; of lists everything, in its
 * order.
 */
export type Settings = {
  readonly [K in ParameterKey]: (typeof PARAMETERS)[K] extends { isList: true } ? Output<K> : Output<K> | undefined;
};

/** The table in parts, as it is read by people. */
export const PARAMETER_GROUPS: readonly { readonly title: string; readonly rows: readonly Parameter[] }[] = [
  { title: "The root device", rows: Object.values(ROOT) },
  { title: "Images and layers", rows: [...Object.values(LAYERS), ...Object.values(EXTRAS)] },
  { title: "Media of other systems", rows: Object.values(MEDIA) },
  { title: "Encrypted devices", rows: [...Object.values(CRYPT), ...Object.values(CRYPT_DIALECTS)] },
  { title: "Modules and the real init", rows: Object.values(SYSTEM) },
  { title: "Failures and talk", rows: Object.values(RESCUE) },
];

/** The rows with their keys, in the table's order. */
export const PARAMETER_ROWS = Object.entries(PARAMETERS) as readonly (readonly [ParameterKey, Parameter])[];

/** A row that a name belongs to, and the alias it is, if it is not the row's own name. */
export interface Match {
  readonly key: ParameterKey;
  readonly row: Parameter;
  readonly alias: Alias | null;
}

const MATCHES = indexRows();

/** The rows that a word of this name sets; more than one for a few aliases, none where the name is not ours. */
export function findParameters(name: string): readonly Match[] {
  return MATCHES.get(normaliseName(name)) ?? [];
}

function indexRows(): ReadonlyMap<string, readonly Match[]> {
  const index = new Map<string, Match[]>();
  for (const [key, row] of PARAMETER_ROWS) {
    for (const alias of [null, ...row.aliases]) {
      const name = normaliseName(alias?.name ?? row.name);
      index.set(name, [...(index.get(name) ?? []), { key, row, alias }]);
    }
  }
  return index;
}
