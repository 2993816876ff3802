import { wipe } from "../../crypto/secret.ts";
import { type BlockDevice, describeDevice } from "../../devices/block-devices.ts";
import type { Context } from "../../drivers/context.ts";
import { le64 } from "../../formats/bytes.ts";
import type { Machine } from "../../machine/machine.ts";
import { bytesOrNone } from "../../machine/small-files.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { unlessRefused } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import { describeRefusal } from "../../problems/report.ts";
import { specText } from "../search-words.ts";
import { attemptResume } from "./attempt.ts";
import { findResumeDevices, type NamedResume } from "./find-devices.ts";
import { discardImage, type Hibernated, mayDiscard, readImage, sayDiscarded } from "./hibernated.ts";

/**
 * Resumes the system that was hibernated on the device of resume=, before anything is mounted: then it does not return. Returns what
 * it found instead, in words; an empty text if nothing was asked for. Throws BootError for an image that is neither resumed nor discarded.
 */
export function resume(context: Context, plan: BootPlan): string {
  const { device } = plan.resume;
  if (device === null) return "";
  const wish: NamedResume = { ...plan.resume, device };
  const { machine, voice } = context;
  const found = findResumeDevices(context, plan, wish);
  if (found.length === 0) {
    if (!wish.isOff) voice.warn(describeMissing(wish));
    return "";
  }
  const pageBytes = readPageSize(machine);
  const hibernated = found.flatMap((one): Hibernated | readonly [] => {
    const image = unlessRefused(
      () => readImage(machine, one, wish.offset, pageBytes),
      (refusal) => {
        voice.warn(`${one.node} of resume= cannot be read: ${describeRefusal(refusal)}`);
        return null;
      },
    );
    return image === null ? [] : { device: one, image };
  });
  const [first] = hibernated;
  if (first === undefined) {
    const isSwap = ({ facts }: BlockDevice) => facts.type === "swap" || facts.type === "swsuspend";
    if (wish.offset === 0 && !found.some(isSwap))
      voice.warn(`${specText(device)} of resume= is no swap space: ${found.map(describeDevice).join(" and ")}`);
    return `no hibernated system on ${found.map(({ node }) => node).join(" or ")}`;
  }
  if (found.length > 1) {
    const nodes = found.map(({ node }) => node);
    throw problem("resume-ambiguous", { spec: specText(device), nodes });
  }
  return resumeOrDiscard(context, wish, first, pageBytes);
}

function describeMissing({ device, asksFirmware }: NamedResume): string {
  return asksFirmware
    ? `${specText(device)}, where systemd hibernated (HibernateLocation), did not appear, booting without it`
    : `${specText(device)} of resume= did not appear, booting without it; if it does not exist any more, remove resume=`;
}

function resumeOrDiscard(context: Context, plan: NamedResume, hibernated: Hibernated, pageBytes: number): string {
  const { machine, voice } = context;
  const { device, image } = hibernated;
  const { node } = device;
  if (!plan.isOff) {
    // The pages of this system are not wiped when the other one continues.
    wipe(...(context.passphrases?.splice(0) ?? []));
    const failed = attemptResume(context, { device, image, plan });
    const failure = problem("not-resumed", { node, ...failed });
    // The kernel removes the signature of the image before it looks into it.
    if (!mayDiscard(context, plan, failure)) {
      restoreSignature(context, hibernated, plan, pageBytes);
      throw failure;
    }
  }
  // The kernel may have discarded it.
  if (readImage(machine, device, plan.offset, pageBytes) !== null) discardImage(machine, hibernated);
  sayDiscarded(voice, node);
  return `discarded the hibernated system on ${node}`;
}

/** Puts back the signature that the kernel has removed, so that the kernel that fits can still resume. */
function restoreSignature(
  { machine, voice }: Context,
  { device, image }: Hibernated,
  { offset }: NamedResume,
  pageBytes: number,
): void {
  unlessRefused(
    () => {
      if (readImage(machine, device, offset, pageBytes) !== null) return;
      machine.writeDevice(device.node, image.at, image.signature);
    },
    (refusal) => voice.warn(`could not keep the hibernated system on ${device.node}: ${describeRefusal(refusal)}`),
  );
}

const DEFAULT_PAGE_BYTES = 4096;
const AT_PAGESZ = 6n;

/** Reads the kernel's page size from the auxiliary vector, pairs of 64-bit words (getauxval(3)). */
function readPageSize(machine: Machine): number {
  const vector = bytesOrNone(machine, "/proc/self/auxv");
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (le64(vector, at) === AT_PAGESZ) return Number(le64(vector, at + 8));
  }
  return DEFAULT_PAGE_BYTES;
}
