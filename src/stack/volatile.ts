import type { Context } from "../drivers/context.ts";
import { makePlace } from "../filesystems/mount.ts";
import type { VolatilePlan } from "../plan/plan.ts";
import { orProblem, problem } from "../problems/problem.ts";
import { ROOT } from "./root-stack.ts";
import { linkMtab } from "./submounts/mtab.ts";

/** The directories of an empty root that a system needs before it can create the others, with their permissions; the handover adds those that move. */
const DIRECTORIES = { usr: 0o755, etc: 0o755, var: 0o755, tmp: 0o1777, root: 0o700 } as const;

/** Mounts a root in memory: an empty tmpfs with the links into /usr of the tree at `base` (/bin, /lib, /sbin), as systemd-volatile-root does. Throws BootError. */
export function mountVolatileRoot({ machine, undo }: Context, { size }: VolatilePlan, base: string): void {
  makePlace(machine, ROOT);
  const options = size === null ? "mode=0755" : `mode=0755,size=${size}`;
  orProblem("tmpfs-refused", { target: ROOT }, () =>
    machine.mount({ source: "tmpfs", target: ROOT, type: "tmpfs", flags: [], options }),
  );
  undo(() => machine.unmount(ROOT));
  for (const [name, mode] of Object.entries(DIRECTORIES)) machine.makeDirectory(`${ROOT}/${name}`, mode);
  const isLink = (name: string) => machine.lstat(`${base}/${name}`)?.kind === "symlink";
  const links = machine.listDirectory(base).filter(isLink);
  const intoUsr = links
    .map((name) => [name, machine.readLink(`${base}/${name}`)] as const)
    .filter(([, target]) => /^\/?usr(?:\/|$)/.test(target));
  if (intoUsr.length === 0) throw problem("usr-not-merged", {});
  for (const [name, target] of intoUsr) machine.makeSymlink(target, `${ROOT}/${name}`);
  linkMtab(machine, `${ROOT}/etc`);
}
