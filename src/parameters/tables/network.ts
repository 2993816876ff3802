import { deferred } from "../network/deferred.ts";
import { parseBracketedIp, parseTimeServer } from "../network/fields.ts";
import { parseIpSetting } from "../network/ip.ts";
import { parseBond, parseBootif, parseBridge, parseIfname, parseRoute, parseVlan } from "../network/links.ts";
import { list, single, toggle } from "../parameter.ts";
import * as values from "../values.ts";

/** The network: which interfaces are brought up, and how they get their addresses. */
export const NETWORK = {
  needsNetwork: toggle({
    syntax: "rd.neednet[=yes|no]",
    text: "Bring the network up before the search for the root, even if the root is on a disk. If that fails, levain warns and boots.",
    example: "root=LABEL=ROOT rd.neednet=1",
  }),
  ip: list(deferred(parseIpSetting), {
    syntax: "ip=METHOD|INTERFACE:METHOD[:MTU[:MAC]]|ADDRESS:[PEER]:GATEWAY:NETMASK:HOSTNAME:INTERFACE:METHOD[:…]",
    fallback: "dhcp on every interface",
    text: "How interfaces get their addresses, if the network is needed. METHOD: dhcp (also on, any); auto6 (also either6), by router advertisement; link-local; none or off. The long form is the kernel's and dracut's: with an ADDRESS and METHOD none, the address is static; NETMASK is 255.255.255.0 or 24 (or write ADDRESS/24), PEER the other end of a point-to-point link, and after METHOD come [MTU][:MAC], or DNS[:DNS[:NTP]]. Addresses of IPv6 stand in brackets. Without INTERFACE, every Ethernet interface is tried, and the first with an address counts. May be given several times.",
    example: "root=LABEL=ROOT rd.neednet=1 ip=192.0.2.5::192.0.2.1:255.255.255.0:host:eth0:none",
  }),
  bootMac: single(deferred(parseBootif), {
    syntax: "BOOTIF=MAC",
    text: "The hardware address of the interface that the machine booted from, as PXELINUX adds it (01-52-54-00-12-34-56). Without an interface in ip=, only this one is used.",
    example: "root=LABEL=ROOT rd.neednet=1 BOOTIF=01-52-54-00-12-34-56",
  }),
  usesBootMac: toggle({
    syntax: "rd.bootif[=yes|no]",
    fallback: "yes",
    text: "rd.bootif=0: ignore BOOTIF=.",
    example: "root=LABEL=ROOT rd.neednet=1 BOOTIF=01-52-54-00-12-34-56 rd.bootif=0",
  }),
  interfaceNames: list(deferred(parseIfname), {
    syntax: "ifname=NAME:MAC",
    text: "Give the interface with this hardware address another name. May be given several times.",
    example: "root=LABEL=ROOT rd.neednet=1 ifname=lan0:52:54:00:12:34:56",
  }),
  nameservers: list(deferred(parseBracketedIp), {
    syntax: "nameserver=ADDRESS",
    fallback: "those of DHCP, of the router advertisement and of ip=",
    text: "The address of a name server, before the others. May be given several times.",
    example: "root=LABEL=ROOT rd.neednet=1 nameserver=192.0.2.53",
  }),
  timeServers: list(deferred(parseTimeServer), {
    syntax: "rd.ntp=SERVER",
    fallback: "those of DHCP and of ip=",
    text: "The name or the address of an NTP server, before the others. If the clock is older than levain itself, the first that answers sets it before a download. May be given several times.",
    example: "root=https://boot.example/root.sfs rd.ntp=192.0.2.4",
  }),
  peerDns: toggle({
    syntax: "rd.peerdns=yes|no",
    fallback: "yes",
    text: "rd.peerdns=0: use only the name servers of nameserver= and ip=.",
    example: "root=LABEL=ROOT rd.neednet=1 nameserver=192.0.2.53 rd.peerdns=0",
  }),
  routes: list(deferred(parseRoute), {
    syntax: "rd.route=NETWORK/PREFIX:[GATEWAY][:INTERFACE]",
    text: "Add a route. NETWORK/PREFIX may be default; addresses of IPv6 stand in brackets. May be given several times.",
    example: "root=LABEL=ROOT rd.neednet=1 rd.route=198.51.100.0/24:192.0.2.1",
  }),
  vlans: list(deferred(parseVlan), {
    syntax: "vlan=NAME:INTERFACE",
    text: "Create the interface NAME for a VLAN on INTERFACE. The number at the end of NAME is that of the VLAN: eth0.5, vlan5 and vlan0005 are VLAN 5.",
    example: "root=LABEL=ROOT rd.neednet=1 vlan=vlan5:eth0 ip=vlan5:dhcp",
  }),
  bonds: list(deferred(parseBond), {
    syntax: "bond[=NAME[:INTERFACE,…[:OPTION=VALUE,…[:MTU]]]]",
    bare: "",
    text: "Bond interfaces into one. The options are those of the kernel's driver (mode=802.3ad,miimon=100). The defaults: bond0 of eth0 and eth1, mode=balance-rr.",
    example: "root=LABEL=ROOT rd.neednet=1 bond=bond0:eth0,eth1:mode=active-backup,miimon=100 ip=bond0:dhcp",
  }),
  bridges: list(deferred(parseBridge), {
    syntax: "bridge[=NAME:INTERFACE[,INTERFACE…]]",
    bare: "",
    text: "Create a bridge with these interfaces. The default: br0 of eth0.",
    example: "root=LABEL=ROOT rd.neednet=1 bridge=br0:eth0 ip=br0:dhcp",
  }),
  networkTimeoutMs: single(values.waitingTimeMs, {
    syntax: "rd.net.timeout=SECONDS",
    aliases: ["rd.net.timeout.dhcp=SECONDS"],
    fallback: "60",
    text: "How long to wait for an address; 0: no limit. By default, a machine without a card waits 15 s for one.",
    example: "root=LABEL=ROOT rd.neednet=1 rd.net.timeout=120",
  }),
};
