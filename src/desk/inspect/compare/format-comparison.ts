import { alignColumns, printable } from "../../../problems/report.ts";
import { formatBytes } from "../../../problems/size.ts";
import type { Inspection } from "../inspection.ts";
import { listParts, type Part, sumParts } from "../parts.ts";
import type { Difference } from "./compare.ts";

/** Formats what differs between two images for the user: a table of the parts, then each path. */
export function formatComparison(
  one: Inspection,
  other: Inspection,
  differences: readonly Difference[],
): readonly string[] {
  const images = [one, other].map(({ file, size, findings }, index) => [
    index === 0 ? "first" : "second",
    file,
    formatBytes(size),
    `${formatBytes(findings.contentBytes)} unpacked`,
    findings.kernels.map(({ version }) => version ?? "one kernel").join(", ") || "no modules",
  ]);
  if (differences.length === 0) return [...alignColumns(images), "", "no differences"].map(printable);
  return [
    ...alignColumns(images),
    "",
    ...alignColumns(
      [["", "first", "second", "only first", "only second", "changed"], ...rows(one, other, differences)],
      [1, 2, 3, 4, 5],
    ),
    "",
    ...alignColumns(differences.map(formatDifference)),
  ].map(printable);
}

function rows(one: Inspection, other: Inspection, differences: readonly Difference[]): readonly (readonly string[])[] {
  const [before, after] = [one, other].map(
    ({ tree }) => new Map(sumParts(listParts(tree.root)).map((sum) => [sum.part, sum.bytes])),
  );
  const parts = [
    ...new Set<Part>([...(after?.keys() ?? []), ...(before?.keys() ?? []), ...differences.map(({ part }) => part)]),
  ];
  const count = (part: Part, is: (what: Difference["what"]) => boolean) => {
    const found = differences.filter((each) => each.part === part && is(each.what)).length;
    return found === 0 ? "-" : `${found}`;
  };
  return parts.map((part) => [
    part,
    formatBytes(before?.get(part) ?? 0),
    formatBytes(after?.get(part) ?? 0),
    count(part, (what) => what === "first"),
    count(part, (what) => what === "second"),
    count(part, (what) => typeof what !== "string"),
  ]);
}

const WORDS = { first: "only first", second: "only second" } as const;

function formatDifference({ path, what, sizes: [before, after] }: Difference): readonly string[] {
  const size = [before, after].flatMap((bytes) => (bytes === null ? [] : [formatBytes(bytes)]));
  const sizes = size[0] === size[1] ? size.slice(0, 1) : size;
  const sizeText = sizes.join(" → ");
  if (typeof what === "string") return [WORDS[what], sizeText, path];
  return ["changed", [...what, ...(sizeText === "" ? [] : [sizeText])].join(", "), path];
}
