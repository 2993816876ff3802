import { expect, test } from "bun:test";
import { hideSecrets } from "../../../src/parameters/secrets.ts";

test.each([
  ["quiet rd.iscsi.password=p1 rw", "quiet rd.iscsi.password=… rw"],
  ['iscsi_in_password="p1 p2" rw', "iscsi_in_password=… rw"],
  ['"rd.iscsi.password=p1 p2"p3 rw', "rd.iscsi.password=… rw"],
  ['rd.iscsi.password=p1"p2 p3', "rd.iscsi.password=…"],
  [
    "rd.iscsi.param=discovery.sendtargets.auth.password_in=p1",
    "rd.iscsi.param=discovery.sendtargets.auth.password_in=…",
  ],
  ["netroot=iscsi:u:p1@p2@192.0.2.1::::iqn.a:b", "netroot=iscsi:…@192.0.2.1::::iqn.a:b"],
  ["root=iscsi:u:p1@host::::iqn.a:b", "root=iscsi:…@host::::iqn.a:b"],
  [
    "root=cifs://h/s rootflags=username=u,password=p1,,p2,vers=3.0",
    "root=cifs://h/s rootflags=username=u,password=…,vers=3.0",
  ],
  ["rootflags=pass=p1 rw", "rootflags=pass=… rw"],
  ['rootflags="noatime,context=a b" rw', null],
  ['root="LABEL=A B"  try-empty=password netroot=iscsi:host::::iqn.a:b', null],
])("%s", (commandLine, shown) => {
  expect(hideSecrets(commandLine)).toBe(shown ?? commandLine);
});
