import { diagnosis, inBootLoader, inBuilder } from "../diagnosis.ts";
import { printable } from "../report.ts";

interface InitFacts {
  /** Each program that was tried, and why it cannot be started. */
  readonly objections: readonly string[];
}

/** What stops the plan and the steps that a root does not depend on. */
export const BOOT = {
  "step-failed": diagnosis<{ step: string }>(({ step }) => `the step "${step}" failed`),
  "place-not-mounted": diagnosis<{ place: string }>(({ place }) => `could not mount ${place}, which every boot needs`),
  "run-not-writable": diagnosis<{ place: string }>(({ place }) => `could not create ${place}`),
  "command-line-unreadable": diagnosis(() => "could not read the kernel command line"),
  "crypttab-not-a-file": diagnosis<{ path: string }>(({ path }) => `${path} is not a file`),
  "crypttab-too-long": diagnosis<{ path: string; maxKib: number }>(
    ({ path, maxKib }) => `${path} is longer than ${maxKib} KiB`,
  ),
  "init-missing": diagnosis<InitFacts>({
    text: () => "the root has no init",
    reasons: ({ objections }) => objections,
    hints: () => [
      inBootLoader("correct root= if this is not the right root"),
      inBootLoader("name the program with init="),
    ],
  }),
  "init-refused": diagnosis<InitFacts & { init: string }>({
    text: ({ init }) => `the root's init ${printable(init)} cannot be started`,
    reasons: ({ objections }) => objections,
    hints: () => [
      inBootLoader("correct init="),
      inBootLoader("remove it, so that levain tries /sbin/init and the kernel's other defaults"),
    ],
  }),
  "system-missing": diagnosis<InitFacts>({
    text: () => "the initramfs is the final system, and rdshell=0 leaves it no init to start",
    reasons: ({ objections }) => objections,
    hints: () => [
      inBootLoader("name a root with root="),
      inBuilder("add an init to the image: levain image --add FILE:/sbin/init"),
    ],
  }),
  "root-not-mounted": diagnosis<{ place: string }>(({ place }) => `nothing is mounted at ${place}`),
  "root-lacks-directory": diagnosis<{ directory: string; user: string }>({
    text: ({ directory, user }) => `the new root has no directory ${directory}, which ${user} needs`,
    hints: ({ directory }) => [inBuilder(`create the directory ${directory} in the root filesystem`)],
  }),
};
