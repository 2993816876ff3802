import { formatAddress, isIpv6, netmaskOf } from "../../formats/network/addresses.ts";
import type { NetworkUp, UpInterface } from "../up.ts";
import type { LeftFile } from "./left-file.ts";

/**
 * The files of initramfs-tools, which klibc's ipconfig writes: assignments that a shell reads. cloud-init, open-iscsi and Debian's
 * own hooks read them.
 */
export function klibcFiles(one: UpInterface, network: NetworkUp): readonly LeftFile[] {
  return [ipv4File(one, network), ipv6File(one, network)].filter((file) => file !== null);
}

function ipv4File(one: UpInterface, { nameservers, hostname }: NetworkUp): LeftFile | null {
  const { name, method, addresses, gateways, lease, search } = one;
  const own = addresses.find(({ address }) => !isIpv6(address));
  if (own === undefined) return null;
  const dns = nameservers.filter((server) => !isIpv6(server));
  const broadcast = lease?.broadcast ?? "0.0.0.0";
  return {
    path: `/run/net-${name}.conf`,
    content: assignments([
      ["DEVICE", name],
      ["PROTO", method === "dhcp" ? "dhcp" : "none"],
      ["IPV4ADDR", own.address],
      ["IPV4BROADCAST", broadcast],
      ["IPV4NETMASK", formatAddress(netmaskOf(own.prefix))],
      ["IPV4GATEWAY", gateways.find((gateway) => !isIpv6(gateway)) ?? "0.0.0.0"],
      ["IPV4DNS0", dns[0] ?? "0.0.0.0"],
      ["IPV4DNS1", dns[1] ?? "0.0.0.0"],
      ["HOSTNAME", hostname ?? ""],
      ["DNSDOMAIN", lease?.domain ?? ""],
      ["NISDOMAIN", ""],
      ["ROOTSERVER", lease?.nextServer ?? lease?.server ?? "0.0.0.0"],
      ["ROOTPATH", lease?.rootPath ?? ""],
      ["filename", lease?.bootFile ?? ""],
      ["UPTIME", ""],
      ["DHCPLEASETIME", `${lease?.seconds ?? 0}`],
      ["DOMAINSEARCH", search.join(" ")],
    ]),
  };
}

function ipv6File(one: UpInterface, { nameservers, hostname }: NetworkUp): LeftFile | null {
  const own = one.addresses.find(({ address }) => isIpv6(address));
  if (own === undefined) return null;
  const dns = nameservers.filter(isIpv6);
  return {
    path: `/run/net6-${one.name}.conf`,
    content: assignments([
      ["DEVICE6", one.name],
      ["IPV6PROTO", one.method === "static" ? "none" : "auto"],
      ["IPV6ADDR", own.address],
      ["IPV6NETMASK", `${own.prefix}`],
      ["IPV6GATEWAY", one.gateways.find(isIpv6) ?? ""],
      ["IPV6DNS0", dns[0] ?? ""],
      ["IPV6DNS1", dns[1] ?? ""],
      ["HOSTNAME", hostname ?? ""],
      ["IPV6DOMAINSEARCH", one.search.join(" ")],
    ]),
  };
}

/** The parsers of leases let no quote through. */
function assignments(pairs: readonly (readonly [name: string, value: string])[]): string {
  return pairs.map(([name, value]) => `${name}='${value}'\n`).join("");
}
