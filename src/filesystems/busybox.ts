import type { Machine } from "../machine/machine.ts";

/** Where an image may have put BusyBox. */
const BUSYBOX_PLACES = ["/bin/busybox", "/usr/bin/busybox", "/sbin/busybox"];
const SHELLS = ["/bin/sh", "/bin/bash", "/bin/ash", "/usr/bin/sh", "/usr/bin/bash"];
/** Where `busybox --install` puts its links. */
const APPLET_PLACES = ["/bin", "/sbin", "/usr/bin", "/usr/sbin"];

/** The BusyBox of this image, or null. */
export function findBusybox(machine: Machine): string | null {
  return BUSYBOX_PLACES.find((path) => machine.stat(path)?.kind === "file") ?? null;
}

/** A shell to start: BusyBox's, or any other the image has; null where there is none. */
export function findShell(machine: Machine): readonly string[] | null {
  const busybox = findBusybox(machine);
  if (busybox !== null) return [busybox, "sh"];
  const shell = SHELLS.find((path) => machine.stat(path)?.kind === "file");
  return shell === undefined ? null : [shell];
}

/**
 * Makes /bin/sh where the image has BusyBox and nothing there, for scripts and for programs that call a shell. The builder
 * leaves it out: the kernel starts /bin/sh as process 1 where /init is incomplete. Throws SyscallError.
 */
export function linkShell(machine: Machine): void {
  const busybox = findBusybox(machine);
  if (busybox === null || machine.lstat("/bin/sh") !== null) return;
  machine.makeDirectory("/bin");
  machine.makeSymlink(busybox, "/bin/sh");
}

/** Makes the initramfs a system to stay in: every applet gets its link, existing files are left as they are. */
export function installApplets(machine: Machine): void {
  const busybox = findBusybox(machine);
  if (busybox === null) return;
  for (const directory of APPLET_PLACES) machine.makeDirectory(directory);
  // Without the feature compiled in, or with every link there already, it ends with an error that is none.
  machine.run([busybox, "--install", "-s"], { capture: true });
  linkShell(machine);
}
