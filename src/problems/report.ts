import { BootError, type Hint, type Need, SyscallError } from "./errors.ts";

/** The meaning of an errno for the calls that a boot makes; the most specific row ("call CODE") wins. */
const REFUSALS: Readonly<Record<string, string>> = {
  "mount EINVAL": "it is not that type of filesystem, its superblock is damaged, or an option is wrong",
  "mount ENODEV": "this kernel does not know that filesystem, and no module for it could be loaded",
  "mount EBUSY": "the device or the directory is already in use",
  "mount ENXIO": "the device no longer exists",
  "mount ENOTBLK": "it is not a block device",
  "mount EROFS": "the device is write-protected",
  "mount EACCES": "the device is write-protected",
  "mount EUCLEAN": "the filesystem is damaged and needs repair",
  "mount EFSCORRUPTED": "the filesystem is damaged and needs repair",
  "mount EFBIG": "it is larger than this kernel can handle",
  "mount EOVERFLOW": "it is larger than this kernel can handle",
  "finit_module ENOEXEC": "it was built for another kernel or is damaged",
  "finit_module EKEYREJECTED": "its signature is not trusted by this kernel",
  "finit_module ENOKEY": "this kernel loads only modules that are signed with a key that it trusts",
  "finit_module EBADMSG": "its signature is damaged",
  "finit_module EPERM": "the kernel forbids it: module_blacklist=, lockdown or kernel.modules_disabled",
  "finit_module ENOENT": "it needs a symbol that no loaded module provides",
  "finit_module EINVAL": "a parameter is invalid",
  "umount2 ETIMEDOUT": "the disk does not answer",
  "mount ETIMEDOUT": "the disk does not answer",
  "ioctl ETIMEDOUT": "the disk below does not answer",
  "rtnetlink ENOENT": "a file is missing, its firmware perhaps",
  "connect ETIMEDOUT": "the server does not answer",
  "recvfrom ETIMEDOUT": "the server does not answer",
  "genetlink ENOENT": "the kernel has no driver for it, and neither has the image",
  "SetVariable ENOSPC": "the firmware has no room for it",
  ENOTFOUND: "the name of the server is unknown",
  EAI_AGAIN: "the name server does not answer",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the server closed the connection",
  EHOSTUNREACH: "there is no route to the host",
  ENETUNREACH: "there is no route to its network",
  ENOENT: "no such file or directory",
  EIO: "the device returns I/O errors: it is failing, or its cable is",
  ENOMEM: "there is not enough memory",
  ENOSPC: "there is no space left",
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

/** Puts the kernel's refusal into words, with its errno in brackets. */
export function describeRefusal(error: SyscallError): string {
  const words = REFUSALS[`${error.call} ${error.code}`] ?? REFUSALS[error.code];
  return words === undefined ? `${error.call} failed with ${error.code}` : `${words} (${error.code})`;
}

/** Makes text from outside safe to print: control, bidirectional and other invisible characters become `\xNN` or `\u{…}`. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** What the reader of a report can do, by default everything. */
export const EVERY_NEED: readonly Need[] = ["shell", "boot loader", "builder", "hands"];

/** Formats any error as lines: what, why (indented), `seen:` and `hint:`, without the hints that need something outside `has`. The only formatter of errors. */
export function report(error: unknown, has: readonly Need[] = EVERY_NEED): readonly string[] {
  const chain = causes(error);
  const [first, ...rest] = chain.flatMap((link) => explain(link));
  const lines = [first ?? "an unknown error occurred", ...rest.map((line) => `  ${line}`)];
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

/** Formats alternatives as one sentence; empty if the reader can follow none. */
function formatHints(hints: readonly Hint[], has: readonly Need[]): readonly string[] {
  const texts = hints.filter(({ needs }) => needs === null || has.includes(needs)).map(({ text }) => text);
  const last = texts.pop();
  if (last === undefined) return [];
  return [`hint: ${texts.length === 0 ? last : `${texts.join(", ")}, or ${last}`}`];
}

/** A short list on one line, a long list with a line for each item. */
function listSeen(seen: readonly string[]): readonly string[] {
  const short = `seen: ${seen.join(" · ")}`;
  return seen.length === 1 || short.length <= LINE_COLUMNS ? [short] : ["seen:", ...seen.map((item) => `  ${item}`)];
}

/** Wraps lines between words for a terminal of 80 columns; continuation lines are indented below the text of a `seen:` or `hint:`, else a little more than their line. */
export function wrapLines(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => {
    const [margin = "", label = ""] = /^ *(seen: |hint: |kernel: )?/.exec(line) ?? [];
    return wrapLine(line, margin.length + (margin !== "" && label === "" ? 2 : 0));
  });
}

/** Wraps one line between words to fit `columns`; continuation lines are indented by `indent`. */
export function wrapLine(line: string, indent: number, columns = LINE_COLUMNS): readonly string[] {
  const wrapped: string[] = [];
  let rest = line.replaceAll(WHOLE, (part) => part.replaceAll(" ", HELD));
  while (rest.length > columns) {
    const before = rest.lastIndexOf(" ", columns);
    const cut = before > indent ? before : rest.indexOf(" ", columns); // after one long word
    if (cut < 0) break;
    wrapped.push(rest.slice(0, cut).trimEnd());
    rest = `${" ".repeat(indent)}${rest.slice(cut + 1)}`;
  }
  return [...wrapped, rest].map((part) => part.replaceAll(HELD, " "));
}

/** Wraps a line and puts a time into a column of its own at its end. */
export function timeLine(line: string, indent: number, time: string): string {
  const lines = wrapLine(line, indent, TIME_COLUMN);
  return [...lines.slice(0, -1), `${lines.at(-1)?.padEnd(TIME_COLUMN)} ${time.padStart(8)}`].join("\n");
}

/** Aligns the cells of a table; those in the columns `right` to the right. */
export function alignColumns(rows: readonly (readonly string[])[], right: readonly number[] = []): readonly string[] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const pad = (cell: string, column: number) =>
    right.includes(column) ? cell.padStart(width(column)) : cell.padEnd(width(column));
  return rows.map((row) => row.map(pad).join("  ").trimEnd());
}

/** What is never cut: commands, which a person may type as they are printed, and numbers with their units. */
const WHOLE = /`[^`]{1,60}`|levain \w+(?: --[\w-]+ \S+)*|\d+(?: of \d+)? (?:m?s|[KMGT]i?B)\b/g;
/** Replaces a space where a line must not be cut; printable text has no NUL. */
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
  // Without a row of the table it is one line: a newline is that of a file's name.
  if (error instanceof BootError) return error.code === null ? [error.message] : error.message.split("\n");
  if (!(error instanceof Error)) return [String(error)];
  // Not foreseen, so a bug of levain: its place helps those who read the bug report.
  const place = error.stack?.split("\n").find((line) => line.trimStart().startsWith("at "));
  return [
    `${error.name}: ${error.message}`,
    ...(place === undefined ? [] : [`this is a bug in levain, ${place.trim()}`]),
  ];
}
