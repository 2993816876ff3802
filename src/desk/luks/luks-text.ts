import { printable } from "../../problems/report.ts";
import { formatBytes } from "../../problems/size.ts";
import type { KeyslotFacts, LuksFacts, SegmentFacts } from "./luks-facts.ts";

/** A LUKS header as lines for a person, safe to print. */
export function formatLuksFacts(facts: LuksFacts): readonly string[] {
  const lines = [
    row("version", `LUKS${facts.version}`),
    row("uuid", facts.uuid),
    ...optional("label", facts.label),
    ...optional("subsystem", facts.subsystem),
    ...optional("flags", facts.flags.join(" ")),
    ...optional("requires", facts.requirements.join(" ")),
    ...facts.segments.map((segment) => row(`segment ${segment.id}`, describeSegment(segment))),
    ...facts.keyslots.map((slot) => row(`keyslot ${slot.id}`, describeKeyslot(slot))),
    ...facts.tokens.map((token) => row(`token ${token["id"]}`, describeToken(token))),
    row("acceptable", facts.acceptable ? "yes" : "no"),
  ];
  return lines.map(printable);
}

function row(name: string, value: string): string {
  return `${name.padEnd(11)} ${value}`;
}

function optional(name: string, value: string): readonly string[] {
  return value === "" ? [] : [row(name, value)];
}

function describeSegment({ type, offset, size, cipher, sectorSize, integrity, flags }: SegmentFacts): string {
  const place = `from ${formatBytes(BigInt(offset))} ${size === null ? "to the end" : `on, ${formatBytes(BigInt(size))}`}`;
  const sectors = sectorSize === null ? [] : [`sectors of ${sectorSize} bytes`];
  return [cipher ?? type, ...(integrity === null ? [] : [integrity]), place, ...sectors, ...flags].join(", ");
}

function describeKeyslot(slot: KeyslotFacts): string {
  const { type, keyBits, kdf, cipher, priority, problem } = slot;
  const parts = [
    kdf === null ? type : `${type} key of ${keyBits} bits`,
    ...(kdf === null ? [] : [Object.entries(kdf).map(formatCost).join(" ")]),
    ...(cipher === null ? [] : [cipher]),
    ...(priority === "normal" ? [] : [priority === "prefer" ? "preferred" : "ignored"]),
  ];
  return parts.join(", ") + (problem === null ? "" : ` (${problem})`);
}

const SINGULAR: Readonly<Record<string, string>> = { iterations: "iteration", passes: "pass", lanes: "lane" };

function formatCost([name, value]: readonly [string, string | number]): string {
  if (name === "memoryKib") return formatBytes(Number(value) * 1024);
  return typeof value === "number" ? `${value} ${value === 1 ? SINGULAR[name] : name}` : value;
}

function describeToken({ type, keyslots }: Readonly<Record<string, unknown>>): string {
  const slots = Array.isArray(keyslots) ? keyslots.join(" ") : "";
  return `${String(type)}${slots === "" ? "" : `, for keyslot ${slots}`}`;
}
