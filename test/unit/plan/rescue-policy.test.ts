import { expect, test } from "bun:test";
import fc from "fast-check";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { planRescue } from "../../../src/plan/rescue-policy.ts";
import { refusalOf } from "../../support/refusal.ts";

test.each([
  ["root=sda1 rd.timeout=abc", "shell", true],
  ["root=sda1 rdshell=0", "halt", false],
  ["panic=5 rd.break=nowhere", "reboot", true],
  ["panic=soon rd.emergency=poweroff", "poweroff", true],
  ["rdshell=perhaps rdshell=0", "halt", false],
  ["rdshell=keep", "shell", "keep"],
  ["rdshell=keep rdshell=0", "halt", false],
  ["rdshell=0 rdshell=keep", "halt", false],
  ["rdshell=ask rdshell=keep rdshell", "shell", "ask"],
  ["single rdshell=ask rd.shell=0", "halt", false],
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

test("init= outside an image that locks the shell names an init, or what the image names", () => {
  const plan = (cmdline: string, ...parameters: readonly string[]) =>
    makePlan({ cmdline: `root=LABEL=R ${cmdline}`, manifest: { version: 1, kernel: null, parameters } }).plan.handover
      .init;
  for (const lock of ["rdshell=0", "rdshell=ask"]) {
    expect(refusalOf(() => plan("init=/usr/bin/vi", lock))).toContainEqual(
      expect.stringContaining(`init=/usr/bin/vi: ${lock} of the image allows no program but an init`),
    );
    expect(refusalOf(() => plan("init=/home/bob/init", lock))).toContainEqual(
      expect.stringContaining("init=/home/bob/init"),
    );
    for (const init of ["/lib/systemd/systemd", "/nix/store/x/init", "/sbin/openrc-init"]) {
      expect(plan(`init=${init}`, lock)).toBe(init);
    }
    expect(plan("init=/usr/bin/vi", lock, "init=/usr/bin/vi")).toBe("/usr/bin/vi");
    expect(plan("", lock, "init=/usr/bin/vi")).toBe("/usr/bin/vi");
  }
  // Who writes the command line may unlock it.
  expect(plan("init=/usr/bin/vi rdshell=0")).toBe("/usr/bin/vi");
});

test("of several init= the one that counts is judged", () => {
  const plan = (cmdline: string, added: readonly string[], parameters = ["rdshell=ask"]) =>
    makePlan({ cmdline: `root=LABEL=R ${cmdline}`, manifest: { version: 1, kernel: null, parameters }, added }).plan
      .handover.init;
  expect(plan("init=/usr/bin/vi", ["init=/sbin/init"])).toBe("/sbin/init");
  expect(plan("init=/usr/bin/vi init=/sbin/init", [])).toBe("/sbin/init");
  expect(refusalOf(() => plan("init=/sbin/init", ["init=/usr/bin/vi"]))).toContainEqual(
    expect.stringContaining("init=/usr/bin/vi: rdshell=ask of the image"),
  );
  expect(refusalOf(() => plan("init=/sbin/init init=/usr/bin/vi", []))).toContainEqual(
    expect.stringContaining("init=/usr/bin/vi"),
  );
});
