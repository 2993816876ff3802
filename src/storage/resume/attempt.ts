import type { BlockDevice } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import type { HibernationImage } from "../../formats/hibernation/image.ts";
import { textOrNone } from "../../machine/small-files.ts";
import type { ResumePlan } from "../../plan/resume/plan.ts";
import type { ResumeCause } from "../../problems/diagnoses/storage/resume.ts";
import { isErrno } from "../../problems/errors.ts";
import { describeRefusal } from "../../problems/report.ts";

/** Why a resume failed, and what the kernel logged meanwhile. */
export interface FailedResume {
  readonly causes: readonly ResumeCause[];
  readonly kernel: readonly string[];
}

const POWER = "/sys/power";

/**
 * The words of kernel/power of Linux 5.10 to 7.2; what a group captures is the detail of the cause. The first row that matches
 * counts.
 */
const WORDS: readonly (readonly [words: RegExp, kind: ResumeCause["kind"]])[] = [
  [/Hibernate inconsistent memory map|[Uu]nrecognized hibernate image header/, "memory-map"],
  [/Image mismatch: ([\w -]{1,40})/, "mismatch"],
  [
    /Freezing (?:of|user space|remaining freezable) .*(?:failed|aborted)|[Ff]reezing of tasks (?:failed|aborted)/,
    "unfrozen",
  ],
  // swap.c, where the algorithm is LZO or, since 6.9, LZ4.
  [/Invalid image CRC32|decompress(?:ion)? failed|Invalid \w+ (?:un)?compressed length/i, "damaged"],
  [/Failed to allocate|Cannot allocate|Not enough (?:free )?memory/i, "out-of-memory"],
  [/Image not found \(code|Read-error on swap-device|I\/O error/i, "unreadable"],
];

/** The kernel's lines about a resume, but for those of every one. */
const OURS = /memory map|PM:|hibernat|[Ff]reez|swap-device/;
const EVERY =
  /kbytes in|bitmaps|resume failed|recovering|progress|Loading|[Ff]reezing .*(?:completed|done|processes$|tasks$)|OOM killer/;

/** Resumes the image: the kernel replaces this system by the hibernated one, and only a failure returns. */
export function attemptResume(
  { machine, drivers, voice }: Context,
  {
    device,
    image,
    plan,
  }: { readonly device: BlockDevice; readonly image: HibernationImage; readonly plan: ResumePlan },
): FailedResume {
  const obstacle = findObstacle(machine, image, plan);
  if (obstacle !== null) return { causes: [obstacle], kernel: [] };
  if (image.isLz4) drivers.loadByName("lz4");
  voice.progress(`resuming the hibernated system on ${device.node}`, { isUrgent: true });
  const mark = machine.kernelLogMark();
  try {
    // Before Linux 4.17 only the kernel command line says where the swap file begins, and the kernel has read it there.
    if (machine.stat(`${POWER}/resume_offset`) !== null)
      machine.writeFile(`${POWER}/resume_offset`, `${plan.offset}\n`);
    machine.writeFile(`${POWER}/resume`, `${device.number}\n`);
  } catch (error) {
    if (!isErrno(error)) throw error;
    return { causes: [{ kind: "unreadable", detail: "" }], kernel: [describeRefusal(error)] };
  }
  return explain(machine.kernelLogSince(mark));
}

/** Returns why the kernel would not even try. */
function findObstacle(
  machine: Context["machine"],
  { maker }: HibernationImage,
  { kernel }: ResumePlan,
): ResumeCause | null {
  if (maker !== "kernel") return { kind: "maker", detail: maker };
  if (kernel !== null && kernel !== machine.release().release) return { kind: "other-kernel", detail: kernel };
  if (machine.stat(`${POWER}/resume`) === null) return { kind: "no-support", detail: "" };
  const isDisabled = textOrNone(machine, `${POWER}/disk`).includes("[disabled]");
  return isDisabled ? { kind: "disabled", detail: "" } : null;
}

const MOST_LINES = 6;

function explain(log: readonly string[]): FailedResume {
  for (const [words, kind] of WORDS) {
    const found = log.map((line) => words.exec(line)).find((match) => match !== null);
    if (found !== undefined) return { causes: [{ kind, detail: found?.[1] ?? "" }], kernel: told(log) };
  }
  return { causes: [{ kind: "unknown", detail: "" }], kernel: told(log) };
}

function told(log: readonly string[]): readonly string[] {
  return log.filter((line) => OURS.test(line) && !EVERY.test(line)).slice(-MOST_LINES);
}
