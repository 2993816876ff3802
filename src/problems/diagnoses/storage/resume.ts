import { byHand, diagnosis, inBootLoader, inShell } from "../../diagnosis.ts";
import { printable } from "../../report.ts";

/** Why a hibernated system was not resumed; `detail` is what the words need. */
export interface ResumeCause {
  readonly kind: keyof typeof CAUSES;
  readonly detail: string;
}

const CAUSES = {
  "other-kernel": (detail: string) => `it was hibernated with Linux ${detail}, and this is another kernel`,
  mismatch: (detail: string) => `the machine or its kernel has changed since it was hibernated: ${detail}`,
  "memory-map": () => "the firmware's memory map has changed: other memory modules, or other firmware settings",
  damaged: () => "the image is damaged or incomplete",
  unfrozen: () => "a process could not be stopped, because its disk does not answer",
  "out-of-memory": () => "the machine has too little free memory to read the image",
  unreadable: () => "the kernel could not read the device",
  maker: (detail: string) => `${detail} made the image, and the kernel resumes only its own`,
  "no-support": () => "this kernel was built without CONFIG_HIBERNATION",
  disabled: () => "hibernation is switched off: by hibernate=no, nohibernate, or the lockdown of Secure Boot",
  unknown: () => "the kernel does not say why",
} satisfies Record<string, (detail: string) => string>;

/** Says why a hibernated system was not resumed. */
export function describeResumeCause({ kind, detail }: ResumeCause): string {
  return CAUSES[kind](printable(detail));
}

const DANGER = "nothing was mounted: a system that is resumed after its filesystems have changed destroys them";
const discard = () => [
  inShell("discard it, and what it had not saved, with `levain retry rd.resume.policy=discard`"),
  inBootLoader("discard it once with rd.resume.policy=discard"),
];

/** What stops a boot because of a hibernated system. */
export const RESUME_PROBLEMS = {
  "not-resumed": diagnosis<{ node: string; causes: readonly ResumeCause[]; kernel: readonly string[] }>({
    text: ({ node }) => `${node} holds a hibernated system that could not be resumed`,
    reasons: ({ causes, kernel }) => [
      ...causes.map(describeResumeCause),
      ...kernel.map((line) => `kernel: ${line}`),
      DANGER,
    ],
    hints: ({ causes }) => [
      ...(causes.some(({ kind }) => kind === "maker")
        ? [inBootLoader("boot with the initramfs that hibernated it")]
        : [inBootLoader("boot the kernel that hibernated it, on the same machine with the same memory")]),
      ...discard(),
    ],
  }),
  "hibernated-beside": diagnosis<{ node: string; mounted: string; name: string }>({
    text: ({ node, mounted }) =>
      `${node} holds a hibernated system that may use ${mounted}, and resume= does not name it`,
    reasons: () => [DANGER],
    hints: ({ name }) => [
      inShell(`resume it with \`levain retry resume=${name}\``),
      inBootLoader(`resume it with resume=${name}`),
      ...discard(),
    ],
  }),
  "resume-ambiguous": diagnosis<{ spec: string; nodes: readonly string[] }>({
    text: ({ spec, nodes }) => `${spec} names ${nodes.join(" and ")}, and one of them holds a hibernated system`,
    hints: () => [
      byHand("unplug the copy"),
      inBootLoader("name the right one with resume=PARTUUID=…, or none with resume=none"),
    ],
  }),
  "image-not-discarded": diagnosis<{ node: string; isKept: boolean }>({
    text: ({ node }) => `could not discard the hibernated system on ${node}`,
    reasons: ({ isKept }) => (isKept ? [] : ["the image does not contain the signature of its swap space"]),
    hints: ({ node }) => [byHand(`make the swap space again on another system: mkswap ${node}`)],
  }),
};
