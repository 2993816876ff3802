import { expect, test } from "bun:test";
import { formatNfs, nfsRoot, parseNfsPlace, parseNfsRoot } from "../../../src/parameters/sources/nfs-source.ts";

const source = (server: string | null, path: string | null, options = "", isVersion4 = false) => ({
  server,
  path,
  isVersion4,
  options,
});

test.each([
  ["nfs:192.0.2.1:/srv/root", source("192.0.2.1", "/srv/root")],
  ["nfs:nas.example:/srv:vers=3,soft", source("nas.example", "/srv", "vers=3,soft")],
  ["nfs:nas:/srv,vers=3", source("nas", "/srv", "vers=3")],
  ["nfs4:[2001:DB8::1]:/srv", source("2001:DB8::1", "/srv", "", true)],
  ["nfs://nas/srv:ro", source("nas", "/srv", "ro")],
  ["nfs:/srv", source(null, "/srv")],
  ["nfs:", source(null, null)],
  ["nfs:nas", null],
  ["nfs:nas:", null],
  ["nfs:na s:/srv", null],
  ["nfs:nas://srv", null],
  ["http://nas/srv", null],
])("root=%s", (text, expected) => {
  expect(parseNfsRoot(text)).toEqual(expected);
});

test("nfsroot= and the root path of DHCP", () => {
  expect(nfsRoot("auto")).toEqual(source(null, null));
  expect(nfsRoot("/srv/%s,vers=3")).toEqual(source(null, "/srv/%s", "vers=3"));
  expect(nfsRoot(",vers=3")).toEqual(source(null, null, "vers=3"));
  for (const text of ["http://10.0.0.1/x", "iscsi:192.0.2.1::::x", "LABEL=ROOT", "srv", "a b:/srv"]) {
    expect(parseNfsPlace(text)).toBeNull();
  }
});

test("the source of a mount", () => {
  expect(formatNfs(source("2001:db8::1", "/srv"))).toBe("[2001:db8::1]:/srv");
  expect(formatNfs(source("nas", "/srv"))).toBe("nas:/srv");
});
