import { argument, command, flag, UsageError } from "../command-line.ts";
import { drawTreemap } from "../drawing/treemap-svg.ts";
import { formatInspection, formatMember } from "../inspect/format.ts";
import { formatTree } from "../inspect/format-tree.ts";
import { type Inspection, inspectImage } from "../inspect/inspection.ts";
import { listParts, sumParts } from "../inspect/parts.ts";
import { MAX_SIZE_OPTION, readMaxSize } from "../inspect/streams/size-limit.ts";
import { writeLine } from "../standard-output.ts";

/** `levain inspect`. The exit status is 1 if a kernel would not read the whole image. */
export const inspectCommand = command({
  name: "inspect",
  description: "Show what an initramfs contains, and what levain would use of it",
  args: {
    image: argument("An initramfs of any tool, or a unified kernel image"),
    list: flag("List every file, as cpio -tv does", "l"),
    tree: flag("Show the directories and files that take most of it, the largest first"),
    svg: flag("Draw its parts and files by size, as SVG"),
    json: flag("Print JSON; with --list, including every file"),
    ...MAX_SIZE_OPTION,
  },
  examples: {
    "levain inspect /boot/initrd.img":
      "Show its maker, init, modules and more; status 1 if a kernel would not read all of it",
    "levain inspect -l /boot/initrd.img | grep crypt": "Find files",
    "levain inspect --svg /boot/initrd.img > parts.svg": "Draw what makes the image large",
  },
  run: (line) => {
    const [image = ""] = line.words;
    const [form, ...others] = FORMS.filter((each) => line.has(each));
    if (others.length > 0 && !(line.has("json") && line.has("list") && others.length === 1)) {
      throw new UsageError(`--${form} and --${others[0]} exclude each other`);
    }
    const inspection = inspectImage(image, readMaxSize(line));
    const { segments, problem } = inspection;
    writeLine(SHOW[form ?? "summary"](inspection, line.has("list")).trimEnd());
    return problem === null && segments.every(({ problems }) => problems.length === 0) ? 0 : 1;
  },
});

const FORMS = ["json", "list", "tree", "svg"] as const;

const SHOW: Readonly<Record<(typeof FORMS)[number] | "summary", (inspection: Inspection, list: boolean) => string>> = {
  json: (inspection, list) => JSON.stringify(describe(inspection, list), null, 2),
  list: ({ segments }) =>
    segments.flatMap(({ archives }) => archives.flatMap(({ members }) => members.map(formatMember))).join("\n"),
  tree: ({ tree }) => formatTree(listParts(tree.root)).join("\n"),
  svg: ({ tree }) => drawTreemap(listParts(tree.root)),
  summary: (inspection) => formatInspection(inspection).join("\n"),
};

/** Plain data, without the content of the files. */
function describe({ tree, segments, problem, ...rest }: Inspection, list: boolean): unknown {
  return {
    ...rest,
    parts: sumParts(listParts(tree.root)),
    segments: segments.map(({ archives, ...segment }) => ({
      ...segment,
      archives: archives.map(({ members, ...archive }) => ({
        ...archive,
        memberCount: members.length,
        ...(list && { members: members.map(({ data, ...member }) => ({ ...member, size: data.length })) }),
      })),
    })),
    problems: [...tree.problems, ...(problem === null ? [] : [problem.message])],
  };
}
