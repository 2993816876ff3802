import type { Machine } from "../machine/machine.ts";
import { tolerateRefusal } from "../problems/errors.ts";

/** The paths at which an image may have BusyBox. */
export const BUSYBOX_PLACES = ["/bin/busybox", "/usr/bin/busybox", "/sbin/busybox"];
/** The paths of shells, in the order to try. */
export const SHELLS = ["/bin/sh", "/bin/bash", "/bin/ash", "/usr/bin/sh", "/usr/bin/bash"];
/** Where `busybox --install` puts its links. */
const APPLET_PLACES = ["/bin", "/sbin", "/usr/bin", "/usr/sbin"];

/** Returns the path of this image's BusyBox, or null. */
export function findBusybox(machine: Machine): string | null {
  return BUSYBOX_PLACES.find((path) => machine.stat(path)?.kind === "file") ?? null;
}

/**
 * Makes BusyBox executable. The builder leaves that out if the image's own parameters lock the shell: otherwise the kernel would start it for
 * rdinit=/bin/busybox. A refusal shows when BusyBox is started.
 */
export function unlockBusybox(machine: Machine): void {
  const path = findBusybox(machine);
  if (path === null || ((machine.stat(path)?.mode ?? 0) & EXECUTABLE) !== 0) return;
  const slash = path.lastIndexOf("/");
  tolerateRefusal(() => {
    const tree = machine.openTree(path.slice(0, slash), "as mounted");
    try {
      tree.setAccess(path.slice(slash + 1), { userId: 0, groupId: 0, mode: 0o755 });
    } finally {
      tree.close();
    }
  });
}

const EXECUTABLE = 0o111;

/** Returns the command of a shell: BusyBox's, or any other that the image has; null if it has none. */
export function findShell(machine: Machine): readonly string[] | null {
  const busybox = findBusybox(machine);
  if (busybox !== null) return [busybox, "sh"];
  const shell = SHELLS.find((path) => machine.stat(path)?.kind === "file");
  return shell === undefined ? null : [shell];
}

/**
 * Links /bin/sh to BusyBox if the image has no /bin/sh, for scripts and for programs that call a shell. The builder leaves
 * it out, because the kernel starts /bin/sh as process 1 if /init is incomplete. Throws SyscallError.
 */
export function linkShell(machine: Machine): void {
  const busybox = findBusybox(machine);
  if (busybox === null || machine.lstat("/bin/sh") !== null) return;
  machine.makeDirectory("/bin");
  machine.makeSymlink(busybox, "/bin/sh");
}

/** Links every applet of BusyBox, for an initramfs that is the final system; existing files are left as they are. */
export function installApplets(machine: Machine): void {
  const busybox = findBusybox(machine);
  if (busybox === null) return;
  for (const directory of APPLET_PLACES) machine.makeDirectory(directory);
  // The status says nothing: it is an error if every link exists already.
  machine.run([busybox, "--install", "-s"], { capture: true });
  linkShell(machine);
}

/** The configuration of BusyBox's init. */
export const INITTAB = "/etc/inittab";

/** The filesystems that a boot needs. */
const KEPT_TYPES = ["proc", "sysfs", "devtmpfs", "tmpfs", "ramfs", "rootfs"];

/**
 * Returns the inittab of an initramfs that is the final system. Without one, BusyBox's init starts /etc/init.d/rcS, which no
 * initramfs of levain has. `self` is this program: SIGQUIT makes init start it again, so the filesystems of the boot must stay.
 */
export function makeInittab(self: string): string {
  return `# BusyBox's init, if the initramfs is the final system: a shell, and \`levain retry\` boots from there.
::respawn:-/bin/sh
::restart:${self}
::ctrlaltdel:/sbin/reboot
::shutdown:/bin/umount -a -r -t no${KEPT_TYPES.join(",")}
`;
}
