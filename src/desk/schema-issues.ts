import * as v from "valibot";

/** A string that `parse` accepts; the message of its BootError becomes the issue. */
export function readableBy(parse: (text: string) => unknown) {
  return v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      try {
        if (dataset.typed) parse(dataset.value);
      } catch (error) {
        addIssue({ message: error instanceof Error ? error.message : String(error) });
      }
    }),
  );
}

/** Describes an issue with the place of the value, as "disks[1].name: expected a string but received 5". */
export function explainIssue(issue: v.BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? `[${key + 1}]` : `.${String(key)}`));
  const path = keys.join("").replace(/^\./, "") || "the whole file";
  if (issue.expected === "never") return `unknown key ${path}`;
  if (issue.type === "min_length") return `${path}: ${issue.message} but received ""`;
  if (issue.type === "regex") return `${path}: ${issue.message} but received ${issue.received}`;
  if (issue.type === "raw_check" || issue.type === "max_length") return `${path}: ${issue.message}`;
  // A key that is missing: valibot expects its name.
  if (issue.received === "undefined") return `${path}: expected a value but received nothing`;
  return `${path}: expected ${name(issue.expected)} but received ${name(issue.received)}`;
}

// Names of types in valibot's issues, and of Bun's dates.
const NAMES: ReadonlyMap<string, string> = new Map([
  ...[["string", "a string"] as const, ["Array", "a list"] as const, ["Object", "a table"] as const],
  ...["Instant", "PlainDate", "PlainDateTime"].map((type) => [type, "a date"] as const),
  ["PlainTime", "a time"],
  ["boolean", "true or false"],
]);

function name(type: string | null): string {
  return NAMES.get(type ?? "") ?? type ?? "";
}
