import { isIpv6 } from "../../formats/network/addresses.ts";
import type { NetworkUp, UpInterface } from "../up.ts";
import { type LeftFile, section } from "./left-file.ts";

/**
 * The file of systemd.network(5). The first file that matches an interface counts, in the order of the names: one for an interface
 * that carries the root comes before the files of the real system, any other after them.
 */
export function networkdFile(one: UpInterface, network: NetworkUp, carriesRoot: boolean): LeftFile {
  const isStatic = one.method === "static";
  const dns = network.nameservers.map((server) => ["DNS", server] as const);
  const lines = [
    ...section("Match", [["Name", one.name]]),
    // networkd would set it up for DHCP, or down.
    ...section("Link", [["Unmanaged", one.method === "link" ? "yes" : null]]),
    ...section("Network", [
      ["DHCP", one.method === "dhcp" ? "ipv4" : null],
      ["IPv6AcceptRA", one.method === "auto6" ? "yes" : null],
      ["LinkLocalAddressing", one.method === "link-local" ? "ipv6" : null],
      ...(isStatic ? one.addresses.map(({ address, prefix }) => ["Address", `${address}/${prefix}`] as const) : []),
      ...(isStatic ? dns : []),
      // systemd.network(5): addresses and routes stay when networkd starts, and when it stops.
      ["KeepConfiguration", carriesRoot ? "yes" : null],
    ]),
    ...(isStatic ? one.gateways : []).flatMap((gateway) =>
      section("Route", [
        ["Gateway", gateway],
        ["GatewayOnLink", isIpv6(gateway) ? null : "yes"],
      ]),
    ),
  ];
  const order = carriesRoot ? "10" : "98";
  return { path: `/run/systemd/network/${order}-levain-${one.name}.network`, content: `${lines.join("\n")}` };
}
