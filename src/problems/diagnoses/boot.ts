import { distinct } from "../causes/cause.ts";
import { INIT_CAUSES, type InitCause } from "../causes/init.ts";
import { byHand, diagnosis, inBootLoader, inBuilder, inShell } from "../diagnosis.ts";
import { printable } from "../report.ts";

interface InitFacts {
  /** Each program that was tried, and why it cannot be started. */
  readonly objections: readonly string[];
  /** What the root may be instead. */
  readonly causes: readonly InitCause[];
}

const explainInit = ({ objections, causes }: InitFacts) => [
  ...objections,
  ...causes.map((cause) => INIT_CAUSES[cause.kind].reason(cause)),
];
const hintsFor = ({ causes }: InitFacts) => distinct(causes.flatMap((cause) => INIT_CAUSES[cause.kind].hints(cause)));

const ORIGINS = {
  "mdadm.conf": {
    where: "in mdadm.conf of the image",
    cure: "correct the file and rebuild the image",
    hint: inBuilder,
  },
  "/etc/integritytab": {
    where: "in /etc/integritytab of the image",
    cure: "correct the file and rebuild the image",
    hint: inBuilder,
  },
  "/etc/levain/rack.conf": {
    where: "in /etc/levain/rack.conf of the image",
    cure: "correct the file and rebuild the image",
    hint: inBuilder,
  },
  "Ubuntu's initramfs": {
    where: "in /conf of Ubuntu's initramfs",
    cure: "give the right layerfs-path= and uuid= in the boot loader",
    hint: inBootLoader,
  },
  "levain.toml": { where: "in levain.toml", cure: "correct levain.toml and rebuild the image", hint: inBuilder },
  "levain.toml for this machine": {
    where: "in the tables of levain.toml for this machine",
    cure: "correct levain.toml and rebuild the image",
    hint: inBuilder,
  },
  "the configuration of rd.config=": {
    where: "in the configuration of rd.config=",
    cure: "correct the file on the server",
    hint: byHand,
  },
  "the kernel command line": {
    where: "on the kernel command line",
    cure: "correct the parameters in the boot loader",
    hint: inBootLoader,
  },
  "levain retry": {
    where: "in the parameters of levain retry",
    cure: "run `levain retry` with other parameters",
    hint: inShell,
  },
} as const;

/** Where parameters come from, as an error names it. */
export type Origin = keyof typeof ORIGINS;

/** A malformed parameter; `text` is, as an example, "rd.timeout=abc: Expected a number of seconds but received "abc"". */
export interface Mistake {
  readonly origin: Origin;
  readonly text: string;
}

const rebuild = () => [inBuilder("rebuild the image with the levain that is its /init: `levain image`")];

const CORRECT_CRYPTTAB = [inBuilder("correct the file and rebuild the image: levain image --add FILE:/etc/crypttab")];

/** What stops the plan (mistakes in parameters and in the manifest) and the steps that a root does not depend on. */
export const BOOT = {
  "step-failed": diagnosis<{ step: string }>({
    text: ({ step }) => `the step "${step}" failed`,
    hints: () => [inShell("`exit` tries it again"), inShell("read the kernel's log: dmesg")],
  }),
  "place-not-mounted": diagnosis<{ place: string }>({
    text: ({ place }) => `could not mount ${place}, which every boot needs`,
    hints: () => [inBuilder("boot a kernel with CONFIG_SYSFS and CONFIG_TMPFS")],
  }),
  "run-not-writable": diagnosis<{ place: string }>({
    text: ({ place }) => `could not create ${place}`,
    hints: () => [byHand("give the machine more memory")],
  }),
  "command-line-unreadable": diagnosis({
    text: () => "could not read the kernel command line",
    hints: () => [inBuilder("boot a kernel with CONFIG_PROC_FS")],
  }),
  "crypttab-not-a-file": diagnosis<{ path: string }>({
    text: ({ path }) => `${path} is not a file`,
    hints: () => CORRECT_CRYPTTAB,
  }),
  "crypttab-too-long": diagnosis<{ path: string; maxKib: number }>({
    text: ({ path, maxKib }) => `${path} is longer than ${maxKib} KiB`,
    hints: () => CORRECT_CRYPTTAB,
  }),
  "init-missing": diagnosis<InitFacts>({
    text: () => "the root has no init",
    reasons: explainInit,
    hints: (facts) => [
      ...hintsFor(facts),
      inBootLoader("correct root= if this is not the right root"),
      inBootLoader("name the program with init="),
    ],
  }),
  "init-refused": diagnosis<InitFacts & { init: string }>({
    text: ({ init }) => `the root's init ${printable(init)} cannot be started`,
    reasons: explainInit,
    hints: (facts) => [
      ...hintsFor(facts),
      inBootLoader("correct init="),
      inBootLoader("remove it, so that levain tries /sbin/init and the kernel's other defaults"),
    ],
  }),
  "system-missing": diagnosis<InitFacts & { by: string }>({
    text: ({ by }) => `the initramfs is the final system, and ${by} leaves it no init to start`,
    reasons: ({ objections }) => objections,
    hints: () => [
      inBootLoader("name a root with root="),
      inBuilder("add an init to the image: levain image --add FILE:/sbin/init"),
    ],
  }),
  "serial-speed": diagnosis<{
    terminal: string;
    baud: number;
    firmwareBaud: number | null;
    errors: number;
    received: number;
  }>({
    text: ({ terminal }) => `the console ${terminal} may have another speed than the terminal at its other end`,
    reasons: ({ baud, firmwareBaud, errors, received }) => [
      ...(firmwareBaud === null
        ? []
        : [`the kernel command line gives it ${baud} baud, and the firmware uses ${firmwareBaud}`]),
      ...(errors === 0 ? [] : [`${errors} of ${received} characters had framing errors at ${baud} baud`]),
    ],
    hints: ({ terminal, baud, firmwareBaud }) => [
      inBootLoader(`give the speed of the terminal: console=${terminal},${firmwareBaud ?? "SPEED"}`),
      byHand(`set the terminal to ${baud} baud`),
    ],
  }),
  "root-not-mounted": diagnosis<{ place: string }>({
    text: ({ place }) => `nothing is mounted at ${place}`,
    hints: ({ place }) => [
      inShell(`mount the root at ${place} and type \`exit\`, or \`levain retry root=LABEL=NAME\``),
    ],
  }),
  "root-lacks-directory": diagnosis<{ directory: string; user: string }>({
    text: ({ directory, user }) => `the new root has no directory ${directory}, which ${user} needs`,
    hints: ({ directory }) => [inBuilder(`create the directory ${directory} in the root filesystem`)],
  }),
  "parameter-mistakes": diagnosis<{ mistakes: readonly Mistake[] }>({
    text: ({ mistakes }) => {
      const count = mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`;
      const origins = [...new Set(mistakes.map(({ origin }) => origin))];
      return `${count} ${origins.map((origin) => ORIGINS[origin].where).join(" and ")}`;
    },
    hints: ({ mistakes }) =>
      [...new Set(mistakes.map(({ origin }) => ORIGINS[origin]))].map(({ cure, hint }) =>
        hint(`${cure} (see \`levain help parameters\`)`),
      ),
  }),
  "manifest-malformed": diagnosis<object>({
    text: () => "/etc/levain.json is not a manifest that this version of levain can read",
    hints: rebuild,
  }),
  "manifest-damaged": diagnosis<object>({
    text: () => "/etc/levain.json is damaged: it is not JSON",
    hints: rebuild,
  }),
};
