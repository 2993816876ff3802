import type { NetworkUp, UpInterface } from "../up.ts";
import { klibcFiles } from "./klibc.ts";
import type { LeftFile } from "./left-file.ts";
import { networkManagerFiles } from "./network-manager.ts";
import { networkdFile } from "./networkd.ts";

/** resolv.conf(5): the C library uses three name servers. */
const MOST_NAMESERVERS = 3;
const LEFT_STATE = "/run/levain/network.json";

/** Returns the files in /run that tell the real system about the network. */
export function leftFiles(network: NetworkUp, carriesRoot: boolean): readonly LeftFile[] {
  const safe = network.interfaces.filter(({ name }) => /^[\w.@-]+$/.test(name));
  return [
    { path: LEFT_STATE, content: `${JSON.stringify(network, null, 1)}\n` },
    { path: "/run/levain/resolv.conf", content: resolvConf(network) },
    ...safe.flatMap((one) => [
      ...klibcFiles(one, network),
      networkdFile(one, network, carriesRoot),
      ...networkManagerFiles(one, network, carriesRoot),
    ]),
    ...(carriesRoot ? ifupdownFiles(safe) : []),
  ];
}

/** The state of ifupdown, as interfaces(5) of Debian: it leaves an interface alone that it finds here, so that it starts no DHCP client for it. */
function ifupdownFiles(interfaces: readonly UpInterface[]): readonly LeftFile[] {
  const lines = interfaces.map(({ name }) => `${name}=${name}\n`);
  return [{ path: "/run/network/ifstate", content: lines.join("") }];
}

/** Returns the content of resolv.conf(5). */
export function resolvConf({ nameservers, search }: NetworkUp): string {
  const lines = [
    ...(search.length === 0 ? [] : [`search ${search.join(" ")}`]),
    ...nameservers.slice(0, MOST_NAMESERVERS).map((server) => `nameserver ${server}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
