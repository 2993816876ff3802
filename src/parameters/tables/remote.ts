import { hostId, hostNqn, nvmeDiscovery } from "../network/nvmf.ts";
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
  nvmeDiscovery: list(nvmeDiscovery, {
    syntax: "rd.nvmf.discover=tcp,SERVER[,OWN-ADDRESS[,PORT]]",
    text: "NVMe over TCP: ask this server for its subsystems, and connect to all of them. root= is then what is on their disks: a label, a UUID, /dev/nvme0n1. May be given several times; the port is 4420 by default.",
    example: "root=LABEL=ROOT rd.nvmf.discover=tcp,192.0.2.1",
  }),
  nvmeHostNqn: single(hostNqn, {
    syntax: "rd.nvmf.hostnqn=NQN",
    fallback: "/etc/nvme/hostnqn, or the name that nvme-cli makes of the UUID of the machine",
    text: "The name of this machine for NVMe over TCP, by which servers permit it.",
    example: "root=LABEL=ROOT rd.nvmf.discover=tcp,192.0.2.1 rd.nvmf.hostnqn=nqn.2014-08.org.example:node7",
  }),
  nvmeHostId: single(hostId, {
    syntax: "rd.nvmf.hostid=UUID",
    fallback: "/etc/nvme/hostid, or the UUID of the machine",
    text: "The identifier of this machine for NVMe over TCP.",
    example: "root=LABEL=ROOT rd.nvmf.discover=tcp,192.0.2.1 rd.nvmf.hostid=7f1c9a52-0d3b-4c8e-9d6a-2b1e5f4a3c80",
  }),
  nbdRoot: single(parseNbdRoot, {
    syntax: "nbdroot=SERVER[,EXPORT|PORT[,DEVICE]]",
    text: "An export of an NBD server, as Debian's nbd-client names it; root= is then the device (/dev/nbd0), a partition of it, or a label.",
    example: "root=/dev/nbd0p1 nbdroot=192.0.2.1,disk",
  }),
};
