import type { DeviceSpec } from "../../parameters/device-spec.ts";

/** What happens to a hibernated system that cannot be resumed. */
export type ResumePolicy = "ask" | "discard" | "stop";

/** Whether a hibernated system is resumed, and from where. */
export interface ResumePlan {
  /** noresume: an image on `device` is discarded. */
  readonly isOff: boolean;
  /** null: no parameter names one. */
  readonly device: DeviceSpec | null;
  /** Where the swap file begins on the device, in pages. */
  readonly offset: number;
  /** True if no parameter decides: then the EFI variable does in which systemd says where it has hibernated, if the root is in use, or the kernel would write to it before it is mounted. */
  readonly asksFirmware: boolean;
  /** `uname -r` of the system that systemd hibernated; null if it does not say. */
  readonly kernel: string | null;
  /** Milliseconds to wait for the device; null: no limit. */
  readonly timeoutMs: number | null;
  readonly policy: ResumePolicy;
}
