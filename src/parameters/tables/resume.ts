import { DEVICE_SPEC_FORMS, DEVICE_TAGS, parseDeviceSpec } from "../device-spec.ts";
import { alias, isAsked, single, toggle } from "../parameter.ts";
import { parser } from "../parse.ts";
import * as values from "../values.ts";

/** A device, with TuxOnIce's "swap:" in front or not, or none. */
const resumeDevice = parser(
  `${DEVICE_SPEC_FORMS} or none`,
  (text) => (/^(?:none)?$/i.test(text) ? "none" : parseDeviceSpec(text.replace(/^swap:/, ""))),
  ["none", ...DEVICE_TAGS],
);

const pages = parser("a number of pages", (text) => (/^\d{1,12}$/.test(text) ? Number(text) : null));

/** Systems that were hibernated. */
export const RESUME = {
  resumeDevice: single(resumeDevice, {
    syntax: "resume=DEVICE",
    aliases: ["real_resume=DEVICE"],
    fallback:
      "none; but if the root filesystem was not unmounted, or lies on bcache, dm-integrity, or a RAID, cache or thin pool of LVM: on UEFI, where systemd says that it hibernated (HibernateLocation)",
    text: "The swap space, or the filesystem with the swap file, in which the system was hibernated. It may lie in an encrypted volume or an array. If it holds an image, the kernel resumes it before levain checks or mounts anything. resume=none: none.",
    example: "root=LABEL=ROOT resume=LABEL=SWAP",
  }),
  resumeOffset: single(pages, {
    syntax: "resume_offset=PAGES",
    fallback: "0, the device is the swap space",
    text: "Where the swap file begins on the device of resume=, in pages: the first physical offset that filefrag -v prints.",
    example: "root=LABEL=ROOT resume=LABEL=ROOT resume_offset=34816",
  }),
  noResume: toggle({
    syntax: "noresume",
    aliases: [
      alias("hibernate=noresume", (value) => (/^(?:noresume|no)$/.test(value ?? "") ? "1" : undefined)),
      alias("nohibernate", (value) => (isAsked(value) ? "1" : undefined)),
    ],
    text: "Do not resume. An image on the device of resume= is discarded, because the boot changes the filesystems that it knows. hibernate=no is the same.",
    example: "root=LABEL=ROOT resume=LABEL=SWAP noresume",
  }),
  resumePolicy: single(values.oneOf("ask", "discard", "stop"), {
    syntax: "rd.resume.policy=ask|discard|stop",
    fallback: "ask, or stop if the boot does not end in a shell when it fails",
    text: "What to do with a hibernated system that cannot be resumed. ask: ask on every console whether to discard it; without a console, as stop. discard: boot without it; what it had not saved is lost. stop: fail, and mount nothing.",
    example: "root=LABEL=ROOT resume=LABEL=SWAP rd.resume.policy=discard",
  }),
  resumeTimeoutMs: single(values.waitingTimeMs, {
    syntax: "rd.resume.timeout=SECONDS",
    aliases: ["resumedelay=SECONDS", alias("resumewait", () => "0")],
    fallback: "10, or 60 while a disk has not answered",
    text: "How long to wait for the device of resume= before the boot goes on without it; 0 or resumewait waits without limit. It is a limit, never a sleep.",
    example: "root=LABEL=ROOT resume=LABEL=SWAP rd.resume.timeout=30",
  }),
};
