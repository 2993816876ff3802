import { expect, test } from "bun:test";
import fc from "fast-check";
import { planRescue } from "../../../src/plan/rescue-policy.ts";

test.each([
  ["root=sda1 rd.timeout=abc", "shell", true],
  ["root=sda1 rdshell=0", "halt", false],
  ["panic=5 rd.break=nowhere", "reboot", true],
  ["panic=soon rd.emergency=poweroff", "poweroff", true],
  ["rdshell=perhaps rdshell=0", "halt", false],
  ["rdshell=keep", "shell", "keep"],
  ["rdshell=keep rdshell=0", "halt", false],
  ["rdshell=0 rdshell=keep", "halt", false],
])("%s: %s", (cmdline, onFailure, shell) => {
  expect(planRescue(cmdline).rescue).toMatchObject({ onFailure, shell });
});

test("levain.toml counts too, and the command line overrides it except for rdshell=0", () => {
  const manifest = { version: 1, kernel: null, parameters: ["rdshell=0", "rd.emergency=halt"] } as const;
  expect(planRescue("root=sda1", manifest).rescue.shell).toBe(false);
  expect(planRescue("rdshell single rd.emergency=reboot", manifest).rescue).toMatchObject({
    shell: false,
    onFailure: "reboot",
  });
  const allowing = { ...manifest, parameters: ["rdshell=1"] };
  expect(planRescue("rd.shell=off", allowing).rescue.shell).toBe(false);
  expect(planRescue("", null, "rdshell=0\n").rescue.shell).toBe(false);
  expect(planRescue("rdshell=1", null, "rdshell=0\n").rescue.shell).toBe(false);
});

test("any bytes result in a policy", () => {
  const policies = ["shell", "reboot", "poweroff", "halt"];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => policies.includes(planRescue(bytes).rescue.onFailure)),
  );
});
