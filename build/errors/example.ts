import type { Diagnosis } from "../../src/problems/diagnosis.ts";

/** Facts of each problem of a table, as a machine may have them: one or several sets for each code. */
export type Examples<Table> = { readonly [Code in keyof Table]: readonly FactsOf<Table[Code]>[] };

type FactsOf<Row> = Row extends Diagnosis<infer Facts> ? Facts : never;
