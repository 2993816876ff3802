import { describe, expect, test } from "bun:test";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RLIMIT_NOFILE } from "../../../../../src/machine/abi/constants.ts";
import type { Handover } from "../../../../../src/machine/handover.ts";
import { systemCall } from "../../../../../src/machine/linux/libc.ts";
import { createLinuxProcesses, encodeHandover } from "../../../../../src/machine/linux/processes/processes.ts";
import { SyscallError } from "../../../../../src/problems/errors.ts";

const HANDOVER: Handover = {
  mode: "pivot_root",
  root: "/sysroot",
  putOld: "/initrd",
  init: "/sbin/init",
  isSystemd: true,
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
      "systemd",
      "7",
      "/sbin/init",
      "",
      "a b",
      "--switched-root",
      "--system",
      "--deserialize",
      "3",
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

/** Lets this process open no further descriptor during `act`. */
function withoutDescriptors<T>(act: () => T): T {
  const before = new BigUint64Array(2);
  systemCall("prlimit64", "RLIMIT_NOFILE", 0, RLIMIT_NOFILE, 0, before);
  const next = openSync("/dev/null", "r");
  closeSync(next);
  const few = BigUint64Array.of(BigInt(next), before[1] ?? 0n);
  systemCall("prlimit64", "RLIMIT_NOFILE", 0, RLIMIT_NOFILE, few, 0);
  try {
    return act();
  } finally {
    systemCall("prlimit64", "RLIMIT_NOFILE", 0, RLIMIT_NOFILE, before, 0);
  }
}

test("a program that was started is waited for, also if the kernel gives no descriptor of it", () => {
  const { run } = createLinuxProcesses();
  const directory = mkdtempSync(join(tmpdir(), "levain-"));
  const argv = [
    "/bin/sh",
    "-c",
    'for i in $(seq 500); do [ -e "$0" ] && exit 3; sleep 0.01; done',
    join(directory, "go"),
  ];
  let calls = 0;
  const onWait = () => {
    if (++calls === 2) mkdirSync(join(directory, "go")); // the boot goes on while the program runs
    return 1000;
  };
  expect(withoutDescriptors(() => run(argv, { onWait })).status).toBe(3);
  rmSync(directory, { recursive: true });
});
