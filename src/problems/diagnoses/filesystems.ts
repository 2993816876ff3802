import { byHand, diagnosis, inBootLoader, inBuilder, inShell } from "../diagnosis.ts";
import type { Hint } from "../errors.ts";
import { printable } from "../report.ts";

type Role = "root" | "layer" | "image";

const DAMAGED = byHand("the file is damaged or not an image: write it to the medium again and compare its checksum");
const REPLAY = byHand(
  "it was not unmounted, and levain writes nothing to it: mount it writable on another machine, unmount it, and boot again",
);
const ELSEWHERE = byHand("repair the filesystem on another machine");

/** What stops a mount or the check before it. */
export const FILESYSTEMS = {
  "place-missing": diagnosis<{ place: string }>({
    text: ({ place }) => `could not create ${place} to mount at`,
    hints: ({ place }) => [inBuilder(`create the directory ${place} in the initramfs`)],
  }),
  "mount-refused": diagnosis<{
    node: string;
    place: string;
    role: Role;
    hasOptions: boolean;
    /** "TYPE: why", one for each type that was tried. */
    refusals: readonly string[];
    /** What the kernel logged meanwhile. */
    kernel: readonly string[];
    /** True if the journal is not empty, and the driver cannot mount without replaying it, which would write to the device. */
    needsReplay: boolean;
    /** The first of the types that the kernel does not know. */
    missing: string | null;
  }>({
    text: ({ node, place }) => `could not mount ${node} at ${place}`,
    reasons: ({ refusals, kernel }) => [...refusals.map(printable), ...kernel.map((line) => `kernel: ${line}`)],
    hints: ({ node, role, hasOptions, needsReplay, missing }): readonly Hint[] => {
      if (missing !== null) {
        return [inBuilder(`add its module to the image: levain image --module ${printable(missing)}`)];
      }
      if (needsReplay) return [REPLAY];
      if (role === "image") return [DAMAGED];
      const options = hasOptions ? [inBootLoader("correct rootflags=")] : [];
      return [...options, inShell(`check ${node} with fsck, then \`levain retry\``), ELSEWHERE];
    },
  }),
  "device-unreadable": diagnosis<{ node: string; why: string }>({
    text: ({ node }) => `could not mount ${node}`,
    reasons: ({ why }) => [`its content cannot be read: ${why}`],
    hints: () => [byHand("check the disk and its cable")],
  }),
  "filesystem-unknown": diagnosis<{ node: string; table: string | null; role: Role }>({
    text: ({ node }) => `could not mount ${node}`,
    reasons: ({ table }) => [
      `it holds ${table === null ? "nothing that levain knows" : `a ${table} partition table`}, and no type was given`,
    ],
    hints: ({ role }) => {
      if (role === "image") return [DAMAGED];
      if (role === "layer") return [inBootLoader("name a device with a filesystem in rd.layer=")];
      return [inBootLoader("name a partition in root="), inBootLoader("give the type with rootfstype=")];
    },
  }),
  "filesystem-has-errors": diagnosis<{
    node: string;
    program: string;
    status: number;
    /** The last lines that the program wrote. */
    output: readonly string[];
  }>({
    text: ({ node }) => `the filesystem on ${node} has errors that fsck does not repair automatically`,
    reasons: ({ program, status, output }) =>
      output.length > 0 ? output.map(printable) : [`${program} ended with status ${status}`],
    hints: ({ node, program }) => [inShell(`run \`${program} ${node}\`, then \`levain retry\``), ELSEWHERE],
  }),
};
