import { aoeInterfaces, netroot, parseNbdRoot } from "../network/remote.ts";
import { alias, list, single } from "../parameter.ts";

/** Disks on servers, which the network brings. */
export const REMOTE = {
  aoe: list(aoeInterfaces, {
    syntax: "rd.aoe[=INTERFACE[,INTERFACE…]]",
    // Alpine's names a target, which the driver finds with the others.
    aliases: [alias("aoe=TARGET", () => "")],
    bare: "",
    fallback: "for a root below /dev/etherd: every Ethernet interface",
    text: "ATA over Ethernet: load its driver, set these interfaces up without an address, and look for targets on them, until the root is found. Without a value, every Ethernet interface.",
    example: "root=LABEL=ROOT rd.aoe=eth1",
  }),
  netroots: list(netroot, {
    syntax: "netroot=nbd:SERVER:EXPORT|aoe:eSHELF.SLOT",
    text: "A disk on a server that the root, named by root=, lies on: on a partition of it, in an encrypted volume, on an array. The forms are those of root=. May be given several times; exports of NBD become nbd0, nbd1 and so on.",
    example: "root=LABEL=ROOT netroot=nbd:192.0.2.1:disk",
  }),
  nbdRoot: single(parseNbdRoot, {
    syntax: "nbdroot=SERVER[,EXPORT|PORT[,DEVICE]]",
    text: "An export of an NBD server, as Debian's nbd-client names it; root= is then the device (/dev/nbd0), a partition of it, or a label.",
    example: "root=/dev/nbd0p1 nbdroot=192.0.2.1,disk",
  }),
};
