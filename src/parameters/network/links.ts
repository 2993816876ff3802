import { Expected, parseWhole } from "../parse.ts";
import {
  type AddressSetting,
  parseAddressWithPrefix,
  parseInterface,
  parseInterfaces,
  parseIp,
  parseMacText,
  parseMtu,
  splitFields,
} from "./fields.ts";

/** An interface that is made of others: vlan=, bond=, bridge=. */
export type MadeInterface =
  | { readonly kind: "vlan"; readonly name: string; readonly id: number; readonly members: readonly string[] }
  | {
      readonly kind: "bond";
      readonly name: string;
      readonly members: readonly string[];
      /** Names and values as Documentation/networking/bonding.rst has them. */
      readonly options: Readonly<Record<string, string>>;
      readonly mtu: number | null;
    }
  | { readonly kind: "bridge"; readonly name: string; readonly members: readonly string[] };

/** A route of rd.route=. */
export interface RouteSetting {
  readonly destination: AddressSetting | "default";
  /** null: the destination is on the link. */
  readonly gateway: string | null;
  /** null: the interface that reaches the gateway. */
  readonly interface: string | null;
}

/** vlan=NAME:INTERFACE. The number at the end of NAME is the VLAN, as in eth0.5 and vlan0005. */
export function parseVlan(text: string): MadeInterface {
  const [name = "", parent = "", ...more] = splitFields(text);
  const id = /(?:^|[^\d])0*(\d{1,4})$/.exec(name)?.[1];
  if (more.length > 0 || id === undefined)
    throw new Expected("NAME:INTERFACE with the number of the VLAN at the end of NAME");
  return {
    kind: "vlan",
    name: parseInterface(name),
    id: parseWhole(id, "a VLAN", 0, 4094),
    members: [parseInterface(parent)],
  };
}

/** bond=[NAME[:MEMBER,…[:OPTION=VALUE,…[:MTU]]]]; the defaults are dracut's. */
export function parseBond(text: string): MadeInterface {
  const [name = "", members = "", options = "", mtu = "", ...more] = splitFields(text);
  if (more.length > 0) throw new Expected("NAME:INTERFACES:OPTIONS:MTU");
  return {
    kind: "bond",
    name: parseInterface(name || "bond0"),
    members: parseInterfaces(members || "eth0,eth1"),
    options: parseBondOptions(options),
    mtu: mtu === "" ? null : parseMtu(mtu),
  };
}

/** The values of an option with several are separated by semicolons: arp_ip_target=192.0.2.1;192.0.2.2. */
function parseBondOptions(text: string): Readonly<Record<string, string>> {
  const words = text === "" ? ["mode=balance-rr"] : text.split(",");
  const pairs = words.map((word) => /^(\w+)=([\w.:;-]+)$/.exec(word));
  if (pairs.includes(null)) throw new Expected("options of bonding separated by commas (mode=802.3ad,miimon=100)");
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", pair?.[2] ?? ""]));
}

/** bridge=[NAME:MEMBER,…]; the defaults are dracut's. */
export function parseBridge(text: string): MadeInterface {
  const [name = "", members = "", ...more] = splitFields(text);
  if (more.length > 0) throw new Expected("NAME:INTERFACE[,INTERFACE…]");
  return { kind: "bridge", name: parseInterface(name || "br0"), members: parseInterfaces(members || "eth0") };
}

/** rd.route=NETWORK/PREFIX:GATEWAY[:INTERFACE], with addresses of IPv6 in brackets. */
export function parseRoute(text: string): RouteSetting {
  const [network = "", gateway = "", name = "", ...more] = splitFields(text);
  if (more.length > 0) throw new Expected("NETWORK/PREFIX:GATEWAY:INTERFACE");
  const destination = network === "default" ? network : parseNetwork(network);
  if (gateway === "" && name === "") throw new Expected("a gateway or an interface after the network");
  return {
    destination: destination,
    gateway: gateway === "" ? null : parseIp(gateway),
    interface: name === "" ? null : parseInterface(name),
  };
}

function parseNetwork(text: string): RouteSetting["destination"] {
  if (!text.includes("/")) throw new Expected("NETWORK/PREFIX (198.51.100.0/24) or default");
  const { address, prefix } = parseAddressWithPrefix(text, "");
  return prefix === 0 ? "default" : { address, prefix };
}

/** ifname=NAME:MAC. */
export function parseIfname(text: string): { readonly name: string; readonly mac: string } {
  const [name = "", ...mac] = splitFields(text);
  return { name: parseInterface(name), mac: parseMacText(mac.join(":")) };
}

/** BOOTIF=: PXELINUX puts the hardware type in front (01 for Ethernet), iPXE and dracut need not; a value with another type is not Ethernet. */
export function parseBootif(text: string): string {
  return parseMacText(text.replace(/^01[:-](?=(?:[^:-]{2}[:-]){5}[^:-]{2}$)/, ""));
}
