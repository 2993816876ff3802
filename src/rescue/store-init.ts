import { resolveIn } from "../filesystems/resolve.ts";
import type { Machine } from "../machine/machine.ts";
import type { BootPlan } from "../plan/plan.ts";
import { printable } from "../problems/report.ts";

const STORE = "/nix/store/";
/** Write permission of the group and of others. */
const WRITABLE = 0o022;

/**
 * Returns why a locked shell does not allow an init that is named by its path in the Nix store, or null. The lock knows inits by their names in
 * directories where no user can put a program; in the store this holds for what is owned by root and writable by no one else. The
 * directory of the store is not judged: the group of the Nix builders may write to it, and root owns what they leave.
 */
export function objectToStore(
  machine: Machine,
  root: string,
  path: string,
  shell: BootPlan["rescue"]["shell"],
): string | null {
  if (shell === true || shell === "keep" || !path.startsWith(STORE)) return null;
  const base = root === "/" ? "" : root;
  const real = (resolveIn(machine, root, path) ?? `${base}${path}`).slice(base.length);
  const lock = `rdshell=${shell || "0"}`;
  if (!real.startsWith(STORE))
    return `leads out of the Nix store to ${printable(real)}, and ${lock} does not allow that`;
  const parts = real.slice(STORE.length).split("/");
  const paths = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
  const tree = machine.openTree(`${base}${STORE}`, "as mounted");
  try {
    const open = paths.find((one) => {
      const status = tree.status(Buffer.from(one).toString("latin1"));
      return status !== null && (status.userId !== 0 || (status.mode & WRITABLE) !== 0);
    });
    if (open === undefined) return null;
    return `can be changed by other users than root (${printable(STORE + open)}), and ${lock} does not allow that`;
  } finally {
    tree.close();
  }
}
