import { alignColumns, printable } from "../../problems/report.ts";
import { formatBytes } from "../../problems/size.ts";
import { kindOf } from "../archive/cpio.ts";
import type { CpioMember } from "../archive/cpio-reader.ts";
import { describeMemory } from "../archive/memory.ts";
import { describeFallbacks } from "../image/kernel-fallback.ts";
import type { Findings, KernelModules } from "./findings.ts";
import type { Inspection } from "./inspection.ts";
import { listParts, sumParts } from "./parts.ts";
import type { Segment } from "./segments.ts";
import type { UkiSummary } from "./uki.ts";

/** Formats an image for the user: its segments, its contents, and what levain would use of it. */
export function formatInspection(inspection: Inspection): readonly string[] {
  const { file, size, segments, tree, problem, findings, uki } = inspection;
  const problems = [
    ...segments.flatMap(({ problems: own }, index) => own.map((text) => `segment ${index + 1}: ${text}`)),
    ...tree.problems,
    ...(problem === null ? [] : [`the rest cannot be read: ${[problem.message, ...problem.seen].join(", ")}`]),
  ];
  const rows = [...describeFindings(inspection), ...problems.map((text) => ["problem", text] as const)];
  return [
    `${file}: ${formatBytes(size)}, ${segments.length} ${segments.length === 1 ? "segment" : "segments"}`,
    ...(uki === null ? [] : [...describeUki(uki), "", "its .initrd:"]),
    ...alignColumns(
      [
        ["", "offset", "size", "compression", "format", "members", "unpacked"],
        ...segments.map((segment, index) => segmentRow(segment, index, findings)),
      ],
      NUMBER_COLUMNS,
    ),
    "",
    ...rows.map(([name, text]) => `${name.padEnd(10)}${text}`),
  ].map(printable);
}

const NUMBER_COLUMNS = [1, 2, 5];

/** The sections that a unified kernel image has besides those of its stub. */
const UKI_SECTIONS = /^\.(osrel|cmdline|uname|splash|ucode|initrd|linux|dtb|sbat|pcrsig|pcrpkey|profile)$/;

function describeUki({ sections, cmdline, uname, system, isSigned }: UkiSummary): readonly string[] {
  const rows = sections.filter(({ name }) => UKI_SECTIONS.test(name));
  return [
    ...alignColumns(
      [["", "section", "offset", "size"], ...rows.map(({ name, offset, size }) => ["", name, `${offset}`, `${size}`])],
      [2, 3],
    ),
    "",
    `system    ${system ?? "no description"}`,
    `kernel    ${uname === null ? "unknown: no .uname" : uname}`,
    `cmdline   ${cmdline ?? "what the boot loader passes"}`,
    `signature ${isSigned ? "signed for Secure Boot (levain does not verify it)" : "none"}`,
  ];
}

function segmentRow(segment: Segment, index: number, { microcode }: Findings): readonly string[] {
  const { compression, offset, size, unpackedSize, archives } = segment;
  const members = archives.flatMap((archive) => archive.members);
  const isEarly = members.some(({ name }) => name.includes("kernel/x86/microcode"));
  const formats = [...new Set(archives.map(({ format }) => format))].join(", ") || "-";
  const early = isEarly ? `  early microcode: ${microcode.join(", ")}` : "";
  return [
    `  ${index + 1}`,
    `${offset}`,
    `${size}`,
    compression,
    formats,
    `${members.length}`,
    `${unpackedSize}${early}`,
  ];
}

const INITS = {
  levain: "levain",
  systemd: "systemd",
  busybox: "BusyBox",
  script: "a shell script",
  program: "a program",
} as const;

function describeFindings({
  findings,
  passedOver,
  memory,
  bootConfig,
  tree,
}: Inspection): readonly (readonly [string, string])[] {
  const { maker, init, kernels, busybox, shell, checkers, firmwareFiles, contentBytes } = findings;
  const fallback = describeFallbacks(findings.fallbacks);
  const parts = sumParts(listParts(tree.root))
    .map(({ part, bytes }) => `${part} ${formatBytes(bytes)}`)
    .join(", ");
  const found = init === null ? "no /init: the kernel would mount root= itself" : INITS[init.kind];
  const runtime = init === null || init.runtime === null ? "" : `, ${init.runtime} runtime`;
  const firmware = firmwareFiles === 0 ? "" : `, ${firmwareFiles} of them firmware`;
  return [
    ["made by", maker ?? "unknown"],
    ["init", `${found}${runtime}${init === null || init.path === "/init" ? "" : ` (/init is ${init.path})`}`],
    ["modules", kernels.length === 0 ? "none" : kernels.map(describeKernel).join("; ")],
    ["shell", busybox === null ? `${shell ?? "none"}, without BusyBox` : `BusyBox at ${busybox}`],
    ...(fallback === null ? [] : [["fallback", fallback] as const]),
    ...(bootConfig === null
      ? []
      : [["appended", `a boot configuration of ${bootConfig.size} bytes, which the kernel removes first`] as const]),
    ["fsck", checkers.join(", ") || "none"],
    ["content", `${formatBytes(contentBytes)} in files${firmware}${parts === "" ? "" : `: ${parts}`}`],
    ...(init?.kind === "levain" ? [["memory", describeMemory(memory)] as const] : describeGraft(findings, passedOver)),
  ];
}

/** What would remain in use if the init were replaced. */
function describeGraft(findings: Findings, passedOver: readonly string[]): readonly (readonly [string, string])[] {
  const { kernels, busybox, shell, checkers } = findings;
  const kept = [
    ...(kernels.length > 0 ? ["the modules"] : []),
    ...(checkers.length > 0 ? ["fsck"] : []),
    ...(busybox !== null || shell !== null ? ["the shell"] : []),
  ];
  const uses = kept.length === 0 ? "would use nothing of this image" : `would use ${kept.join(", ")}`;
  const ignores = passedOver.length === 0 ? "" : `; it would ignore ${passedOver.join(", ")}`;
  return [
    ["levain", `as its /init ${uses}${ignores}`],
    ["", "(levain graft IMAGE makes an image with levain as its /init)"],
  ];
}

function describeKernel({ version, count, index }: KernelModules): string {
  const how = index === "none" ? ", without depmod's files: levain reads each module" : "";
  return `${count} for ${version ?? "one kernel"}${how}`;
}

const LETTERS = {
  file: "-",
  directory: "d",
  symlink: "l",
  block: "b",
  character: "c",
  fifo: "p",
  socket: "s",
} as const;
/** Set-uid, set-gid and the sticky bit replace the x; without an x they are upper-case. */
const SPECIAL_BITS = [
  [0o4000, 2, "s"],
  [0o2000, 5, "s"],
  [0o1000, 8, "t"],
] as const;

/** Formats a member as a line of `cpio -tvn`, with its time in UTC: "-rw-r--r--   1 0  0   12 2026-01-31 23:59 etc/fstab". */
export function formatMember({ name, mode, nlink, uid, gid, mtime, major, minor, data }: CpioMember): string {
  const kind = kindOf(mode);
  const isNode = kind === "block" || kind === "character";
  const size = isNode ? `${`${major}`.padStart(3)}, ${`${minor}`.padStart(3)}` : `${data.length}`;
  const time = new Date(mtime * 1000).toISOString().slice(0, 16).replace("T", " ");
  const target = kind === "symlink" ? ` -> ${printable(new TextDecoder().decode(data))}` : "";
  const owner = `${`${uid}`.padEnd(8)} ${`${gid}`.padEnd(8)}`;
  return `${kind === null ? "?" : LETTERS[kind]}${formatMode(mode)} ${`${nlink}`.padStart(3)} ${owner} ${size.padStart(8)} ${time} ${printable(name)}${target}`;
}

function formatMode(mode: number): string {
  const letters = [..."rwxrwxrwx"].map((letter, place) => ((mode >> (8 - place)) & 1 ? letter : "-"));
  for (const [bit, place, letter] of SPECIAL_BITS) {
    if (mode & bit) letters[place] = letters[place] === "x" ? letter : letter.toUpperCase();
  }
  return letters.join("");
}
