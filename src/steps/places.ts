/** Where the parts of a stacked root stay visible, also after the handover. The merged root is not below /run: /run could not move into it then (ELOOP). */
export const PLACES = {
  root: "/sysroot",
  medium: "/run/levain/medium",
  lower: "/run/levain/lower",
  overlay: "/run/levain/overlay",
  ram: "/run/levain/ram",
} as const;

/** Remembers how to take back what a step has done, should the rest of it fail. */
export type Undo = (takeBack: () => void) => void;
