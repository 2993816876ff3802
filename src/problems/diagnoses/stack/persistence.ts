import { byHand, diagnosis, inBootLoader, inBuilder } from "../../diagnosis.ts";
import { printable } from "../../report.ts";

/** What starts the system without its persistence volumes. */
const WITHOUT = inBootLoader("boot without them once: nopersistence");

/** What keeps the changes of a live medium from its volumes. */
export const PERSISTENCE = {
  "persistence-ambiguous": diagnosis<{ volumes: readonly string[] }>({
    text: ({ volumes }) => `several persistence volumes are present: ${volumes.join(" and ")}`,
    reasons: () => ["anyone can make a disk with such a name, and nothing says which one is meant"],
    hints: () => [
      byHand("unplug the others"),
      inBootLoader("give the right one a name of its own: persistence-label=NAME"),
      WITHOUT,
    ],
  }),
  "persistence-missing": diagnosis<{ names: readonly string[] }>({
    text: ({ names }) => `there is no persistence volume (${names.map(printable).join(" or ")})`,
    hints: () => [
      byHand("make one: mkfs.ext4 -L persistence DEVICE, with a file persistence.conf that contains: / union"),
      inBootLoader("correct persistence-label=, persistence-storage=, persistence-media= and persistence-encryption="),
      WITHOUT,
    ],
  }),
  "persistence-without-list": diagnosis<{ volume: string; bytes: number }>({
    text: ({ volume, bytes }) =>
      bytes === 0 ? `${volume} has no file persistence.conf` : `persistence.conf on ${volume} has ${bytes} bytes`,
    reasons: () => ["persistence.conf lists the directories that a persistence volume keeps"],
    hints: () => [byHand("write one at the top of that volume, to keep all changes: / union")],
  }),
  "kept-outside": diagnosis<{ path: string }>({
    text: ({ path }) => `${printable(path)} leads to a filesystem that no disk keeps`,
    hints: () => [byHand("correct persistence.conf")],
  }),
  "kept-path": diagnosis<{ path: string; directory: string }>({
    text: ({ path, directory }) => `changes in ${printable(path)} cannot be kept with ${printable(directory)}`,
    reasons: () => ["overlayfs cannot use a path with a comma, a colon or a backslash"],
    hints: () => [byHand("correct persistence.conf, or the name of that directory")],
  }),
  "kept-missing": diagnosis<{ path: string; source: string }>({
    text: ({ path, source }) => `the volume of ${printable(path)} has no directory ${printable(source || "/")}`,
    reasons: () => ["persistence-read-only creates nothing"],
    hints: () => [inBootLoader("boot without persistence-read-only once")],
  }),
  "kept-refused": diagnosis<{ path: string; kernel: readonly string[] }>({
    text: ({ path }) => `could not mount the overlay at ${printable(path)}`,
    reasons: ({ kernel }) => kernel.map((line) => `kernel: ${line}`),
    hints: () => [
      byHand("correct persistence.conf: bind needs no overlay"),
      inBuilder("add the kernel's overlay module to the image: levain image --module overlay"),
    ],
  }),
};
