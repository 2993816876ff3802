import type { LogSpec } from "../parameters/stack/log-place.ts";
import type { StepName } from "../parameters/values.ts";

/** What to do when a boot fails. */
export type FailurePolicy = "shell" | "menu" | "reboot" | "poweroff" | "halt";

/** What a boot that fails does, and before which steps one stops. */
export interface RescuePlan {
  /** False: never a shell (rdshell=0), so `onFailure` is not "shell", a menu offers nothing that gives one, and `breaks` is empty. "ask": only after the password of the image. "keep": volumes that a passphrase unlocked in this boot stay open in a shell. */
  readonly shell: boolean | "ask" | "keep";
  /** rd.break=: steps to stop before. */
  readonly breaks: readonly StepName[];
  /** rd.emergency=, else reboot with panic=, else shell, or halt if there is no shell. */
  readonly onFailure: FailurePolicy;
  /** panic=: seconds until that reboot; null if not given. */
  readonly panicSeconds: number | null;
  /** rd.emergency.after=: seconds before `onFailure`, in which Enter starts a shell instead, if there may be one; before a reboot, in which it starts the menu, if `onFailure` is that; null: none. */
  readonly afterSeconds: number | null;
  /** rd.log.save=: where the log of a failed boot is saved; null: on a device with the label for it, false: nowhere. */
  readonly log: LogSpec | false | null;
  /** rd.help.url=: what the code of a failure is added to; null: none is known, false: no QR code is shown. */
  readonly helpUrl: string | false | null;
  /** rd.hooks=0: the hooks of the image do not run. */
  readonly hasHooks: boolean;
}
