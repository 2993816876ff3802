import { alias, list, single, toggle } from "../parameter.ts";
import * as submounts from "../stack/submounts.ts";
import * as values from "../values.ts";

/** What is mounted below the root before the real init starts. */
export const SUBMOUNTS = {
  usr: single(values.device, {
    syntax: "mount.usr=DEVICE",
    fallback: "the line for /usr in the root's /etc/fstab",
    text: "The device with /usr, found and unlocked as the root device is, and checked if the image has the program for it. Without it, mount.usrfstype= and mount.usrflags= change what /etc/fstab of the root says; a subvolume in mount.usrflags= is one of the root device if /etc/fstab has no line.",
    example: "root=LABEL=ROOT mount.usr=LABEL=USR",
  }),
  usrTypes: single(values.filesystemTypes, {
    syntax: "mount.usrfstype=TYPE[,TYPE…]",
    fallback: "the type in the device's superblock",
    text: "Filesystem types to try for /usr, in this order.",
    example: "root=LABEL=ROOT mount.usr=LABEL=USR mount.usrfstype=ext4",
  }),
  usrOptions: single(values.mountOptions, {
    syntax: "mount.usrflags=OPTIONS",
    aliases: ["usrflags=OPTIONS"],
    fallback: "those of /etc/fstab; with mount.usr=, read-only or read-write as the root",
    text: "Mount options for /usr, separated by commas, as in fstab.",
    example: "root=LABEL=ROOT mount.usrflags=subvol=usr",
  }),
  fstab: toggle({
    syntax: "rd.fstab=yes|no",
    aliases: [{ name: "fstab", syntax: "fstab[=yes|no]", isPassedOn: true }],
    fallback: "yes",
    text: "Whether levain mounts /usr and each line with the option x-initrd.mount from the /etc/fstab of the root, before the real init starts. Each is found, unlocked and checked as the root device is, parents first. A line with nofail may fail, and one with noauto is not mounted. bind and X-mount.subdir= are understood.",
    example: "root=LABEL=ROOT rd.fstab=no",
  }),
  extraMounts: list(submounts.extraMount, {
    syntax: "rd.mount=WHAT:PATH[:TYPE[:OPTIONS]]",
    aliases: [
      alias("rd.systemd.mount-extra=WHAT:/sysroot/PATH[:TYPE[:OPTIONS]]", submounts.extraOfInitramfs),
      alias("systemd.mount-extra=WHAT:PATH:TYPE:x-initrd.mount[,…]", submounts.extraOfSystem),
    ],
    text: "Mount one more filesystem below the root before the real init starts, like a line of /etc/fstab with x-initrd.mount, before which it counts. WHAT is a device as in root=, a file or directory of the root, or tmpfs. May be given several times.",
    example: "root=LABEL=ROOT rd.mount=LABEL=DATA:/srv:ext4:ro",
  }),
  tmpfs: list(submounts.tmpfs, {
    syntax: "rd.tmpfs=PATH[:size=SIZE]",
    aliases: [alias("systemd.volatile=state", (value) => (value === "state" ? "/var" : undefined))],
    text: "An empty tmpfs over a directory of the root, with the directory's owner and permissions: /tmp of a system whose root is read-only. The size is as for rd.overlay=; for /run, which is always a tmpfs, it sets only the size. May be given several times; of two for one directory the last counts.",
    example: "root=LABEL=ROOT rd.tmpfs=/tmp:size=100M",
  }),
  unions: list(submounts.union, {
    syntax: "rd.union=PATH[:size=SIZE][:DEVICE[:/DIR]]",
    text: "Put a tmpfs over one directory of the root: its files can be changed, the changes are lost at shutdown, and the root itself stays read-only. The size is as for rd.overlay=. With DEVICE (as in root=), the changes of earlier boots are shown between the two: those in its directory DIR, by default the one with the same path. levain sync brings new changes there; rd.overlay.policy= and rd.overlay.readonly hold for it too. May be given several times; of two for one directory the last counts.",
    example: "root=LABEL=ROOT rd.union=/etc:size=30M rd.union=/var:size=50M:LABEL=DATA",
  }),
  volatile: single(submounts.volatileRoot, {
    syntax: "systemd.volatile=yes|no|state|overlay",
    fallback: "no",
    text: "yes: the root is an empty tmpfs with the /usr of the root device, read-only; the size is that of rd.overlay.size=. state is rd.tmpfs=/var, and overlay is rd.overlay.",
    example: "root=LABEL=ROOT systemd.volatile=yes",
  }),
};
