import { expect, test } from "bun:test";
import { createKernelConsole } from "../../../src/log/kernel-console.ts";
import type { BootPlan } from "../../../src/plan/plan.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

const PRINTK = "/proc/sys/kernel/printk";
const NORMAL: BootPlan["talk"] = { level: "normal", log: "all" };

function setUp(level: string | null, more: Readonly<Record<string, string>> = {}) {
  const files = { "/dev/kmsg": "", ...(level === null ? {} : { [PRINTK]: `${level}\t4\t1\t7\n` }), ...more };
  const machine = fakeMachine({ files, mounted: {} });
  const read = (path = PRINTK) => new TextDecoder().decode(machine.readFile(path)).slice(0, 1);
  const silence = (cmdline: string, talk = NORMAL) => kernel.silence(talk, new TextEncoder().encode(cmdline));
  const kernel = createKernelConsole(machine);
  return { machine, kernel, read, silence };
}

test("the kernel is silent while levain prints; the level is restored for a shell and at the end", () => {
  const { kernel, read, silence } = setUp("7");
  expect([kernel.shows(6), kernel.shows(7)]).toEqual([true, false]);
  silence("root=LABEL=x");
  expect([read(), kernel.shows(3), kernel.shows(2)]).toEqual(["3", false, true]);
  expect(kernel.aside(() => read())).toBe("7");
  expect(read()).toBe("3");
  silence("root=LABEL=x"); // planned again
  kernel.restore();
  expect(read()).toBe("7");
});

test.each([
  ["loglevel=5", NORMAL],
  ["quiet ignore_loglevel", NORMAL],
  ["debug", NORMAL],
  ["", { level: "debug", log: "all" }],
  ["", { level: "normal", log: "kmsg" }],
] as const)("who asks for the kernel's words gets them: %p %p", (cmdline, talk) => {
  const { kernel, read, silence } = setUp("7");
  silence(cmdline, talk);
  expect(read()).toBe("7");
  silence("");
  silence(cmdline, talk); // `levain retry rd.debug`
  expect(read()).toBe("7");
  kernel.aside(() => undefined);
  expect(read()).toBe("7");
});

test("a lower level is left alone, ignore_loglevel shows everything", () => {
  const quiet = setUp("1", { "/sys/module/printk/parameters/ignore_loglevel": "Y\n" });
  expect(quiet.kernel.shows(7)).toBeTrue();
  quiet.silence("");
  expect(quiet.read()).toBe("1");
});

test("after /proc has moved, the level is restored by descriptor, and the last known level is used", () => {
  const { machine, kernel, silence } = setUp(null, { "/evil/kernel/printk": "untouched" });
  for (const directory of ["/proc", "/sysroot/proc"]) machine.makeDirectory(directory);
  machine.mount({ source: "tmpfs", target: "/proc", type: "tmpfs", flags: [], options: "" });
  machine.makeDirectory("/proc/sys/kernel");
  machine.writeFile(PRINTK, "7\t4\t1\t7\n");
  silence("");
  expect(kernel.shows(3)).toBeFalse();
  machine.moveMount("/proc", "/sysroot/proc");
  machine.makeSymlink("/evil", "/proc/sys");
  expect(kernel.shows(3)).toBeFalse();
  kernel.restore();
  expect(new TextDecoder().decode(machine.readFile(`/sysroot${PRINTK}`))).toBe("7");
  expect(new TextDecoder().decode(machine.readFile("/evil/kernel/printk"))).toBe("untouched");
});

test("a kernel without a log shows nothing", () => {
  const { kernel, silence, machine } = setUp(null);
  silence("");
  kernel.restore();
  expect(kernel.shows(0)).toBeFalse();
  expect(machine.stat(PRINTK)).toBeNull();
});
