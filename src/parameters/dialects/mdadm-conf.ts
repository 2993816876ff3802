import { printable } from "../../problems/report.ts";

/** Where an image has the file of mdadm.conf(5): the first that exists counts. */
export const MDADM_FILES = ["/etc/mdadm.conf", "/etc/mdadm/mdadm.conf"] as const;

/** What the file asks for, as parameters, and what is not obeyed, in words. */
interface MdadmConf {
  readonly parameters: readonly string[];
  readonly ignored: readonly string[];
}

/** 32 hexadecimal digits, in groups with any separator or none. */
const UUID = /^uuid=((?:[0-9a-f]{2}[:. -]?){15}[0-9a-f]{2})$/i;
/** The device of an array: /dev/md0, /dev/md/NAME, or the name alone. */
const DEVICE = /^(?:\/dev\/)?(?:md\/)?(?!\.\.?$)([\w+.@-]{1,64})$/;

/**
 * Reads mdadm.conf(5): ARRAY gives an array its name, and `AUTO -all` restricts what is started to these arrays. levain gives each
 * array its name with and without the host, so HOMEHOST= changes nothing.
 */
export function parseMdadmConf(text: string): MdadmConf {
  const lines = logicalLines(text);
  const arrays = lines.filter(([keyword]) => isKeyword(keyword, "array")).map(([, ...words]) => readArray(words));
  const rules = lines.filter(([keyword]) => isKeyword(keyword, "auto")).flatMap(([, ...words]) => words);
  // The first rule that fits an array counts: behind `homehost` or `+1.x`, -all is no word about every other array.
  const isRestricted = rules.includes("-all") && rules.slice(0, rules.indexOf("-all")).every(isExclusion);
  const isScan = (word: string) => /^(?:partitions|containers)$/i.test(word);
  const devices = lines.filter(([keyword]) => isKeyword(keyword, "device")).flatMap(([, ...words]) => words);
  return {
    parameters: arrays.flatMap(({ uuid, name, isIgnored }) => [
      ...(uuid !== null && name !== null ? [`rd.md.name=${name}:${uuid}`] : []),
      ...(uuid !== null && isRestricted && !isIgnored ? [`rd.md.uuid=${uuid}`] : []),
    ]),
    ignored: [
      ...arrays.filter(({ uuid }) => uuid === null).map(({ text: line }) => printable(`ARRAY ${line} has no UUID`)),
      ...arrays.filter(({ isIgnored }) => isIgnored).map(({ text: line }) => printable(`ARRAY ${line}`)),
      ...(devices.every(isScan)
        ? []
        : [printable(`DEVICE ${devices.join(" ").slice(0, 80)}: levain looks at every device`)]),
    ],
  };
}

function isExclusion(rule: string): boolean {
  return rule.startsWith("-");
}

function readArray(words: readonly string[]) {
  const uuid = words.map((word) => UUID.exec(word)?.[1]).find((found) => found !== undefined) ?? null;
  const [first = ""] = words.filter((word) => !word.includes("="));
  const name = DEVICE.exec(first)?.[1] ?? null;
  return { uuid, name, isIgnored: /^<ignore>$/i.test(first), text: words.join(" ").slice(0, 80) };
}

/** A keyword may be shortened to three letters. */
function isKeyword(given: string | undefined, keyword: string): boolean {
  const word = given?.toLowerCase() ?? "";
  return word.length >= 3 && keyword.startsWith(word);
}

/** Splits into lines and words; a line that begins with white space continues the one before, and quotes keep spaces. */
function logicalLines(text: string): readonly (readonly string[])[] {
  const joined = text.replace(/(^|[^\S\n])#[^\n]*/gm, "$1").replace(/\n[^\S\n]+/g, " ");
  const words = (line: string) =>
    line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)?.map((word) => word.replace(/["']/g, "")) ?? [];
  return joined
    .split("\n")
    .map(words)
    .filter((line) => line.length > 0);
}
