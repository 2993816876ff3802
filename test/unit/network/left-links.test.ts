import { expect, test } from "bun:test";
import { leftFiles } from "../../../src/network/files/files.ts";

test("an interface without an address is left to no other program, and gets no address of its own", () => {
  const one = {
    name: "eth1",
    index: 3,
    mac: "52:54:00:00:00:02",
    method: "link",
    addresses: [],
    gateways: [],
  } as const;
  const up = { ...one, lease: null, nameservers: [], search: [] };
  const network = { interfaces: [up], nameservers: [], search: [], hostname: null, timeServers: [] };
  const files = leftFiles(network, true);
  const contentOf = (path: string) => files.find((file) => file.path === path)?.content ?? "";
  expect(contentOf("/run/systemd/network/10-levain-eth1.network")).toBe(
    "[Match]\nName=eth1\n\n[Link]\nUnmanaged=yes\n\n[Network]\nKeepConfiguration=yes\n",
  );
  expect(contentOf("/run/NetworkManager/system-connections/levain-eth1.nmconnection")).toContain(
    "[ipv4]\nmethod=disabled\n\n[ipv6]\nmethod=disabled\n",
  );
  expect(contentOf("/run/network/ifstate")).toBe("eth1=eth1\n");
  expect(files.some(({ path }) => path.startsWith("/run/net-"))).toBe(false);
});
