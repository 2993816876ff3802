import { uuidOfName } from "../../formats/bytes.ts";
import { isIpv6 } from "../../formats/network/addresses.ts";
import type { NetworkUp, UpInterface } from "../up.ts";
import { type LeftFile, section } from "./left-file.ts";

/**
 * The connection of nm-settings-keyfile(5) for an Ethernet interface and, if it carries the root, the state that makes NetworkManager
 * go on with it as it is (nm_config_device_state_write() of src/core/nm-config.c). As a profile it comes after those of the real system.
 */
export function networkManagerFiles(one: UpInterface, network: NetworkUp, carriesRoot: boolean): readonly LeftFile[] {
  const uuid = uuidOfName(`levain ${one.name} ${one.mac}`);
  const connection: LeftFile = {
    path: `/run/NetworkManager/system-connections/levain-${one.name}.nmconnection`,
    content: [
      ...section("connection", [
        ["id", `levain ${one.name}`],
        ["uuid", uuid],
        ["type", "ethernet"],
        ["interface-name", one.name],
        ["autoconnect-priority", carriesRoot ? "100" : "-100"],
      ]),
      ...section("ipv4", addressing(one, network, false)),
      ...section("ipv6", addressing(one, network, true)),
    ].join("\n"),
    // NetworkManager ignores a profile that others can read.
    isSecret: true,
  };
  if (!carriesRoot) return [connection];
  const state = section("device", [
    ["managed", "true"],
    ["connection-uuid", uuid],
    ["nm-owned", "false"],
  ]);
  return [connection, { path: `/run/NetworkManager/devices/${one.index}`, content: state.join("\n") }];
}

function addressing(
  { method, addresses, gateways }: UpInterface,
  { nameservers }: NetworkUp,
  isSix: boolean,
): readonly (readonly [key: string, value: string])[] {
  const ofFamily = (address: string) => isIpv6(address) === isSix;
  const own = addresses.filter(({ address }) => ofFamily(address));
  if (method === "dhcp" || method === "auto6") {
    // The other kind of address may appear in the real system.
    return [
      ["method", "auto"],
      ["may-fail", (method === "auto6") === isSix ? "false" : "true"],
    ];
  }
  if (method === "link") return [["method", "disabled"]];
  if (method !== "static" || own.length === 0) return [["method", isSix ? "link-local" : "disabled"]];
  const gateway = gateways.find(ofFamily);
  return [
    ["method", "manual"],
    ...own.map(({ address, prefix }, at): [string, string] => [`address${at + 1}`, `${address}/${prefix}`]),
    ["gateway", gateway ?? ""],
    [
      "dns",
      nameservers
        .filter(ofFamily)
        .map((server) => `${server};`)
        .join(""),
    ],
  ];
}
