import { expect, test } from "bun:test";
import { scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { listedPackages } from "../support/debian-packages.ts";
import { demoGuest } from "../support/demo.ts";
import { programsOf } from "../support/installed-packages.ts";
import { QUEUE_TIMEOUT_MS, vmTest } from "../support/vm-test.ts";

vmTest("the demo's stick ends in a shell on a writable overlay", demoGuest, async (vm) => {
  const root = await vm.expect(/small-root: mount \/ (\S+) /);
  expect(root[1]).toBe("overlay");
  await vm.expect("small-root: ready");
  vm.send("echo it-can-be-written > /etc/proof; cat /etc/proof; poweroff -f\n");
  await vm.expect("\nit-can-be-written");
  expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
});

test.concurrent(
  "`make demo` needs no program except those of its lists of packages",
  async () => {
    const make = `const { demoGuest } = await import("./test/support/demo.ts");
      const { qemuArguments } = await import("./test/support/qemu.ts");
      console.log((await qemuArguments(await demoGuest())).length);`;
    const environment = {
      PATH: await programsOf(listedPackages("install", "build", "demo")),
      LEVAIN_CACHE: scratchDirectory(),
    };
    expect(Number(await run([process.execPath, "-e", make], { environment }))).toBeGreaterThan(20);
  },
  QUEUE_TIMEOUT_MS,
);
