import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Handover } from "../../../../../src/machine/handover.ts";
import { createLinuxProcesses, encodeHandover } from "../../../../../src/machine/linux/processes/processes.ts";
import { SyscallError } from "../../../../../src/problems/errors.ts";

const HANDOVER: Handover = {
  mode: "pivot_root",
  root: "/sysroot",
  putOld: "/initrd",
  init: "/sbin/init",
  argv: ["/sbin/init", "", "a b"],
  environment: ["NAME=value"],
};

const strings = (bytes: Uint8Array) => Buffer.from(bytes).toString().split("\0");

describe("encodeHandover", () => {
  test("is what stage0 reads", () => {
    const expected = [
      "levain1",
      "pivot_root",
      "/sysroot",
      "/initrd",
      "/sbin/init",
      "3",
      "/sbin/init",
      "",
      "a b",
      "1",
      "NAME=value",
      "end",
      "",
    ];
    expect(strings(encodeHandover(HANDOVER))).toEqual(expected);
  });

  test("an empty string means that the old root is not kept", () => {
    expect(strings(encodeHandover({ ...HANDOVER, putOld: null }))[3]).toBe("");
  });

  test("refuses every string with a NUL, which would shift the others", () => {
    const nul = "a\0b";
    const changes = [{ root: nul }, { putOld: nul }, { init: nul }, { argv: ["x", nul] }, { environment: [nul] }];
    for (const change of changes) expect(() => encodeHandover({ ...HANDOVER, ...change })).toThrow(SyscallError);
  });
});

describe("a process that stage0 did not start", () => {
  test("is not the boot and cannot hand over", () => {
    const processes = createLinuxProcesses();
    expect(processes.isBoot).toBe(false);
    expect(() => processes.handOver(HANDOVER)).toThrow("EBADF");
  });

  test("is not the boot either if the variable names no open descriptor", () => {
    process.env["LEVAIN_HANDOVER_FD"] = "9999";
    expect(createLinuxProcesses().isBoot).toBe(false);
    expect(process.env["LEVAIN_HANDOVER_FD"]).toBeUndefined();
  });

  test("nor if the variable names an open descriptor outside a boot: a boot would take over the system", () => {
    const file = join(import.meta.dir, "../../../../../src/machine/linux/processes/processes.ts");
    const script = `import { createLinuxProcesses } from ${JSON.stringify(file)}; console.log(createLinuxProcesses().isBoot);`;
    const env = { ...process.env, LEVAIN_HANDOVER_FD: "1" };
    expect(Bun.spawnSync([process.execPath, "-e", script], { env }).stdout.toString()).toBe("false\n");
  });
});
