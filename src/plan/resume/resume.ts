import { onlyTexts } from "../../formats/text.ts";
import { formatDeviceSpec } from "../../parameters/device-spec.ts";
import type { Settings } from "../../parameters/parameters.ts";
import type { BootPlan } from "../plan.ts";
import { waitsForPerson } from "../rescue-policy.ts";
import type { ResumePlan } from "./plan.ts";

/** How long the device of resume= is waited for, unless a parameter says otherwise. */
export const RESUME_TIMEOUT_MS = 10_000;

/** Decides from where to resume. */
export function decideResume(settings: Settings, rescue: BootPlan["rescue"]): ResumePlan {
  const { shell } = rescue;
  const { resumeDevice, resumeOffset = 0, noResume = false, resumeTimeoutMs, resumePolicy } = settings;
  const device = resumeDevice === undefined || resumeDevice === "none" ? null : resumeDevice;
  return {
    isOff: noResume,
    device,
    offset: device === null ? 0 : resumeOffset,
    asksFirmware: resumeDevice === undefined && !noResume,
    kernel: null,
    timeoutMs: resumeTimeoutMs === undefined ? RESUME_TIMEOUT_MS : resumeTimeoutMs,
    policy: resumePolicy ?? (waitsForPerson(rescue) && shell !== false && shell !== "ask" ? "ask" : "stop"),
  };
}

/** Formats it for `levain plan`; null if there is nothing to resume. */
export function formatResume({ isOff, device, offset, timeoutMs, policy }: ResumePlan): string | null {
  if (device === null) return isOff ? "never" : null;
  const where = `${formatDeviceSpec(device)}${offset === 0 ? "" : `, swap file at page ${offset}`}`;
  if (isOff) return `never, an image on ${where} is discarded`;
  const wait = timeoutMs === null ? "waiting without limit" : `waiting at most ${timeoutMs / 1000} s`;
  const otherwise = {
    ask: "asks before it is discarded",
    discard: "discarded if it cannot be resumed",
    stop: "stops if it cannot be resumed",
  }[policy];
  return onlyTexts(where, wait, otherwise).join(", ");
}
