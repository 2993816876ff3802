import { expect, test } from "bun:test";
import fc from "fast-check";
import { readRescuePolicy } from "../../../src/config/rescue-policy.ts";

test.each([
  ["root=sda1 rd.timeout=abc", "shell", true],
  ["root=sda1 rdshell=0", "halt", false],
  ["panic=5 rd.break=nowhere", "reboot", true],
  ["panic=soon rd.emergency=poweroff", "poweroff", true],
  ["rdshell=perhaps rdshell=0", "halt", false],
])("%s: %s", (cmdline, onFailure, shell) => {
  expect(readRescuePolicy(cmdline)).toMatchObject({ onFailure, shell });
});

test("levain.toml is heard too, and is weaker", () => {
  const manifest = { version: 1, kernel: null, parameters: ["rdshell=0"] } as const;
  expect(readRescuePolicy("root=sda1", manifest).shell).toBe(false);
  expect(readRescuePolicy("rdshell", manifest).shell).toBe(true);
});

test("any bytes have a policy", () => {
  const policies = ["shell", "reboot", "poweroff", "halt"];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => policies.includes(readRescuePolicy(bytes).onFailure)),
  );
});
