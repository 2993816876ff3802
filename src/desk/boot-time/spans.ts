import type { BootRecord } from "../../log/boot-record.ts";

/** A part of a boot; times are milliseconds since the kernel started. */
export interface Span {
  readonly name: string;
  /** "early": before the first step; "step": a step of the boot; "between": none, the rescue shell most often. */
  readonly kind: "early" | "step" | "between";
  readonly startMs: number;
  readonly endMs: number;
  /** What was done, or why it failed. */
  readonly text: string;
}

/** A time in which a boot said nothing, until it said `text`. */
export interface Silence {
  readonly span: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

/** Milliseconds since the kernel started. */
interface Period {
  readonly startMs: number;
  readonly endMs: number;
}

/** What is shorter is between any two steps. */
const LEAST_BETWEEN_MS = 20;
/** What is shorter explains nothing. */
const LEAST_SILENCE_MS = 50;

/** Returns the parts of a boot in their order, without gaps of more than 20 ms; none if no step began. */
export function listSpans({ startedMs, steps, messages }: BootRecord): readonly Span[] {
  const lastMs = Math.max(0, ...messages.map(({ atMs }) => atMs), ...steps.map(({ endMs }) => endMs ?? 0));
  const begun = steps
    .flatMap(({ name, startMs, endMs, text }): Span[] =>
      startMs === null ? [] : [{ name, kind: "step", startMs, endMs: Math.max(startMs, endMs ?? lastMs), text }],
    )
    .toSorted((a, b) => a.startMs - b.startMs);
  return begun.flatMap((span, index) => {
    const before = begun[index - 1];
    const startMs = before?.endMs ?? 0;
    const { startMs: endMs } = span;
    if (endMs - startMs < LEAST_BETWEEN_MS) return [span];
    return before === undefined
      ? [...listEarly(startedMs, endMs), span]
      : [{ name: "", kind: "between", startMs, endMs, text: "between two steps" }, span];
  });
}

/** What comes before the first step, which starts at `endMs`. */
function listEarly(startedMs: number | null, endMs: number): readonly Span[] {
  if (startedMs === null || startedMs >= endMs) {
    return [{ name: "kernel", kind: "early", startMs: 0, endMs, text: "until levain's first step" }];
  }
  return [
    { name: "kernel", kind: "early", startMs: 0, endMs: startedMs, text: "until /init starts, with the unpacking" },
    { name: "runtime", kind: "early", startMs: startedMs, endMs, text: "until levain's first step" },
  ];
}

/** Returns the longest times of a step in which nothing was said, the longest first: what it waited for is what it said then. */
export function listSilences({ messages }: BootRecord, spans: readonly Span[], most: number): readonly Silence[] {
  const silences = spans.flatMap(({ name, kind, startMs, endMs }): Silence[] => {
    if (kind !== "step") return [];
    const heard = messages.filter(({ atMs }) => atMs > startMs && atMs < endMs);
    const marks = [{ atMs: startMs, text: "" }, ...heard, { atMs: endMs, text: "the end of the step" }];
    return marks.slice(1).map(({ atMs, text }, index) => {
      return { span: name, startMs: marks[index]?.atMs ?? startMs, endMs: atMs, text };
    });
  });
  const length = (silence: Silence): number => silence.endMs - silence.startMs;
  return silences
    .filter((silence) => length(silence) >= LEAST_SILENCE_MS)
    .toSorted((a, b) => length(b) - length(a))
    .slice(0, most);
}

/** Returns how long the boot took until the real init, the shell, or the newest message. */
export function totalMs(spans: readonly Span[]): number {
  return spans.at(-1)?.endMs ?? 0;
}

/**
 * Returns when the kernel unpacked the initramfs, by its log; null if that no longer has it. Since Linux 5.13 its drivers start meanwhile
 * (init/initramfs.c), so this is no part of a boot of its own.
 */
export function findUnpacking({ kernelLog }: BootRecord): Period | null {
  const messages = kernelLog.flatMap((line) => {
    // As dmesg(1) prints them.
    const match = /^\[ *(\d+\.\d+)\] (.*)$/.exec(line);
    return match === null ? [] : [{ atMs: Number(match[1]) * 1000, text: match[2] ?? "" }];
  });
  const start = messages.find(({ text }) => /^(?:Trying to unpack rootfs image as|Unpacking) initramfs/.test(text));
  const end = messages.find(({ text }) => text.startsWith("Freeing initrd memory"));
  if (start === undefined || end === undefined || end.atMs < start.atMs) return null;
  return { startMs: start.atMs, endMs: end.atMs };
}
