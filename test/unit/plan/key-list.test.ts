import { expect, test } from "bun:test";
import { findKeyPaths, findTabledKeys, parseKeyList } from "../../../src/plan/key-list.ts";

test.each([
  ["rd.luks.key=/etc/root.key", ["/etc/root.key"]],
  ["rd.luks=0 rd.timeout=abc luks.key=6c657661=/k:LABEL=KEYS", ["/k"]],
  ["rd.luks.key=/etc/root.key:/ luks.key=/k:/:UUID=6c657661", ["/etc/root.key", "/k"]],
  ["cryptkey=rootfs:/crypto_keyfile.bin", ["/crypto_keyfile.bin"]],
  ["cryptopts=source=/dev/sda2,key=/etc/k,target=x", ["/etc/k"]],
  ["rd.luks.key=/dev/sdb1 init=/sbin/monkey root=/dev/sda keymap=/x", []],
])("%s has the keys %j", (cmdline, keys) => {
  expect(findKeyPaths(cmdline)).toEqual(keys);
});

test("the keys of a crypttab are the files in the third field of every line", () => {
  const text =
    "root UUID=1 /etc/k:/ luks\n# c /etc/c /etc/c\nswap /dev/sda3 /dev/urandom swap\nhome UUID=2 none luks,noauto\n";
  expect(findTabledKeys(text)).toEqual(["/etc/k", "/etc/c"]);
});

test("a list has a NUL after each path", () => {
  expect(parseKeyList(Buffer.from("/a\0/b c\0"))).toEqual(["/a", "/b c"]);
  expect(parseKeyList(new Uint8Array())).toEqual([]);
});
