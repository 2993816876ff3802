import { BootError, type Hint, type Need, SyscallError } from "./errors.ts";

/** What the kernel means by an errno, for the calls a boot makes; the most specific row ("call CODE") wins. */
const REFUSALS: Readonly<Record<string, string>> = {
  "mount EINVAL": "it is not that type of filesystem, its superblock is damaged, or an option is wrong",
  "mount ENODEV": "this kernel does not know that filesystem, and no module for it could be loaded",
  "mount EBUSY": "the device or the directory is in use already",
  "mount ENXIO": "the device is not there any more",
  "mount ENOTBLK": "it is not a block device",
  "mount EROFS": "the device is write-protected",
  "mount EACCES": "the device is write-protected",
  "mount EUCLEAN": "the filesystem is damaged and needs a repair",
  "mount EFSCORRUPTED": "the filesystem is damaged and needs a repair",
  "mount EFBIG": "it is larger than this kernel can handle",
  "mount EOVERFLOW": "it is larger than this kernel can handle",
  "finit_module ENOEXEC": "it was built for another kernel or is damaged",
  "finit_module EKEYREJECTED": "its signature is not trusted by this kernel",
  "finit_module ENOKEY": "this kernel loads signed modules only, and it is not signed with a key that it knows",
  "finit_module EBADMSG": "its signature is damaged",
  "finit_module EPERM": "the kernel forbids it: module_blacklist=, lockdown or kernel.modules_disabled",
  "finit_module ENOENT": "it needs a symbol that no loaded module has",
  "finit_module EINVAL": "a parameter is wrong",
  ENOENT: "no such file or directory",
  EIO: "the device answers with read errors: it is failing, or the cable is",
  ENOMEM: "there is not enough memory",
  ENOSPC: "there is no room left",
  EPERM: "not permitted: this needs root",
  EACCES: "permission denied",
  EBUSY: "it is in use",
  ENOMEDIUM: "there is no medium in the drive",
  ENOTDIR: "part of the path is not a directory",
  EISDIR: "it is a directory",
  ELOOP: "too many symbolic links, or a mount would contain itself",
  EROFS: "the filesystem is read-only",
  ENOEXEC: "it is not a program that this machine can run",
};

/** A terminal may have 80 columns, and some of them wrap at the last. */
const LINE_COLUMNS = 78;
const TIME_COLUMN = 68;

/** The kernel's refusal in words, its errno in brackets. */
export function describeRefusal(error: SyscallError): string {
  const words = REFUSALS[`${error.call} ${error.code}`] ?? REFUSALS[error.code];
  return words === undefined ? `${error.call} said ${error.code}` : `${words} (${error.code})`;
}

/** Text from outside made safe to print: control characters, escapes, bidirectional and other invisible characters as `\xNN` or `\u{…}`. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** What a person has who reads a report, by default everything. */
export const EVERY_NEED: readonly Need[] = ["shell", "boot loader", "builder", "hands"];

/** Formats any error as lines: what, why (indented), `seen:` and `hint:`, without the hints that need what is not in `has`. The only formatter of errors there is. */
export function report(error: unknown, has: readonly Need[] = EVERY_NEED): readonly string[] {
  const chain = causes(error);
  const [first, ...rest] = chain.flatMap((link) => explain(link));
  const lines = [first ?? "something failed without saying what", ...rest.map((line) => `  ${line}`)];
  const boot = chain.filter((link) => link instanceof BootError);
  const seen = boot.flatMap((link) => link.seen);
  if (seen.length > 0) lines.push(...listSeen(seen));
  for (const { hints } of boot) lines.push(...formatHints(hints, has));
  return lines.map(printable);
}

/** Returns what failed, without why, as a part of a sentence. */
export function headline(error: unknown): string {
  return report(error)[0] ?? "";
}

/** Returns what failed and why as one line, without what was seen and what to try. */
export function sentence(error: unknown): string {
  return causes(error)
    .flatMap((link) => explain(link))
    .map((line) => printable(line.trim()))
    .join(": ");
}

/** Alternatives as one sentence; nothing where none can be followed. */
function formatHints(hints: readonly Hint[], has: readonly Need[]): readonly string[] {
  const texts = hints.filter(({ needs }) => needs === null || has.includes(needs)).map(({ text }) => text);
  const last = texts.pop();
  if (last === undefined) return [];
  return [`hint: ${texts.length === 0 ? last : `${texts.join(", ")}, or ${last}`}`];
}

/** A short list on one line, a long one a line each: a person must be able to read either. */
function listSeen(seen: readonly string[]): readonly string[] {
  const short = `seen: ${seen.join(" · ")}`;
  return seen.length === 1 || short.length <= LINE_COLUMNS ? [short] : ["seen:", ...seen.map((item) => `  ${item}`)];
}

/** Lines cut between words to fit a terminal of 80 columns; what goes on is indented a little more than its line, and below the text of a `seen:` or `hint:`. */
export function wrapLines(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => {
    const [margin = "", label = ""] = /^ *(seen: |hint: |kernel: )?/.exec(line) ?? [];
    return wrapLine(line, margin.length + (margin !== "" && label === "" ? 2 : 0));
  });
}

/** One line cut between words to fit `columns`; what goes on is indented by `indent`. */
export function wrapLine(line: string, indent: number, columns = LINE_COLUMNS): readonly string[] {
  const wrapped: string[] = [];
  let rest = line.replaceAll(COMMAND, (command) => command.replaceAll(" ", HELD));
  while (rest.length > columns) {
    const cut = rest.lastIndexOf(" ", columns);
    if (cut <= indent) break; // one long word
    wrapped.push(rest.slice(0, cut).trimEnd());
    rest = `${" ".repeat(indent)}${rest.slice(cut + 1)}`;
  }
  return [...wrapped, rest].map((part) => part.replaceAll(HELD, " "));
}

/** The same with a time in a column of its own, at the end of the last. */
export function timeLine(line: string, indent: number, time: string): string {
  const lines = wrapLine(line, indent, TIME_COLUMN);
  return [...lines.slice(0, -1), `${lines.at(-1)?.padEnd(TIME_COLUMN)} ${time.padStart(8)}`].join("\n");
}

/** What a person may want to type as it stands. */
const COMMAND = /`[^`]{1,60}`|levain \w+(?: --[\w-]+ \S+)*/g;
/** Stands for a space that is no place to cut; printable text has none. */
const HELD = "\0";

function causes(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let link = error; link !== undefined && link !== null && chain.length < 8; ) {
    chain.push(link);
    link = link instanceof Error ? link.cause : undefined;
  }
  return chain;
}

function explain(error: unknown): readonly string[] {
  if (error instanceof SyscallError) return [`${error.subject}: ${describeRefusal(error)}`];
  if (error instanceof BootError) return error.message.split("\n");
  if (!(error instanceof Error)) return [String(error)];
  // Not foreseen, so a mistake of ours: the person can do little, whoever reads the report needs the place.
  const place = error.stack?.split("\n").find((line) => line.trimStart().startsWith("at "));
  return [
    `${error.name}: ${error.message}`,
    ...(place === undefined ? [] : [`this is a bug in levain, ${place.trim()}`]),
  ];
}
