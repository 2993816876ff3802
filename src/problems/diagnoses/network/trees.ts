import { diagnosis, inBootLoader, inBuilder, inShell } from "../../diagnosis.ts";

/** What stops the mount of a root that is no block device. */
export const TREES = {
  "tree-without-program": diagnosis<{ source: string; program: string }>({
    text: ({ source }) => `could not mount ${source}`,
    reasons: ({ program }) => [`the image has no program ${program}`],
    hints: ({ program }) => [inBuilder(`levain image --program /usr/sbin/${program}`)],
  }),
  "tree-refused": diagnosis<{
    source: string;
    place: string;
    /** Of each type that was tried. */
    reasons: readonly string[];
    kernel: readonly string[];
  }>({
    text: ({ source, place }) => `could not mount ${source} at ${place}`,
    reasons: ({ reasons, kernel }) => [...reasons, ...kernel.map((line) => `kernel: ${line}`)],
    hints: () => [
      inBootLoader("correct the tag or the name in root=, or rootflags="),
      inBuilder("add the driver to the image: levain image --module NAME"),
      inShell("try other parameters with `levain retry`"),
    ],
  }),
};
