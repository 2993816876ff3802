import { WITHOUT_FSTAB } from "../../causes/mount.ts";
import { byHand, diagnosis, inBootLoader, inBuilder } from "../../diagnosis.ts";

interface PathFacts {
  /** In the root. */
  readonly path: string;
}

/** What stops a mount below the root. */
export const SUBMOUNTS = {
  "submount-unsupported": diagnosis<PathFacts & { why: string }>({
    text: ({ path }) => `could not mount ${path}`,
    reasons: ({ why }) => [why],
    hints: () => [
      inBuilder("remove x-initrd.mount from its line in /etc/fstab of the root, or add nofail"),
      ...WITHOUT_FSTAB,
    ],
  }),
  "submount-without-place": diagnosis<PathFacts>({
    text: ({ path }) => `could not mount ${path}`,
    reasons: () => ["the root has no such directory, and it cannot be created"],
    hints: ({ path }) => [inBuilder(`create ${path} in the root filesystem`), ...WITHOUT_FSTAB],
  }),
  "submount-without-source": diagnosis<PathFacts & { source: string }>({
    text: ({ path, source }) => `could not mount ${source} at ${path}`,
    reasons: ({ source }) => [`${source} does not exist, or a symbolic link on its path leads nowhere`],
    hints: () => [inBuilder("correct its line in /etc/fstab of the root, or rd.mount="), ...WITHOUT_FSTAB],
  }),
  "submount-refused": diagnosis<PathFacts & { source: string }>({
    text: ({ path, source }) => `could not mount ${source} at ${path}`,
    hints: () => [inBuilder("correct its line in /etc/fstab of the root, or rd.mount="), ...WITHOUT_FSTAB],
  }),
  "union-without-directory": diagnosis<PathFacts & { real: string | null }>({
    text: ({ path }) => `could not put a tmpfs over ${path} of the root`,
    reasons: ({ path, real }) => [
      real === null ? `the root has no directory ${path}` : `a symbolic link leads from there to ${real}`,
    ],
    hints: ({ real }) =>
      real === null
        ? [inBuilder("create the directory in the root filesystem"), inBootLoader("correct rd.union= or rd.tmpfs=")]
        : [inBootLoader(`name the directory itself: ${real}`)],
  }),
  "union-refused": diagnosis<PathFacts & { kernel: readonly string[] }>({
    text: ({ path }) => `could not put an overlay over ${path} of the root`,
    reasons: ({ kernel }) => kernel.map((line) => `kernel: ${line}`),
    hints: () => [
      inBuilder("add the kernel's overlay module to the image: levain image --module overlay"),
      inBootLoader("correct rd.union=: the kernel stacks at most two overlays, and none on some filesystems"),
    ],
  }),
  "tmpfs-refused": diagnosis<{ target: string }>({
    text: ({ target }) => `could not mount a tmpfs at ${target}`,
    hints: () => [inBootLoader("correct its size in rd.union=, rd.tmpfs= or rd.overlay.size=")],
  }),
  "usr-not-merged": diagnosis<object>({
    text: () => "could not make a root in memory (systemd.volatile=yes)",
    reasons: () => ["none of /bin, /lib and /sbin of the root is a link into /usr"],
    hints: () => [
      inBootLoader("use systemd.volatile=overlay: the whole root below a tmpfs"),
      byHand("install the package usrmerge in the root"),
    ],
  }),
};
