import { expect } from "bun:test";
import { demoGuest } from "../support/demo.ts";
import { vmTest } from "../support/vm-test.ts";

vmTest("the demo's stick ends in a shell on a writable overlay", demoGuest, async (vm) => {
  const root = await vm.expect(/small-root: mount \/ (\S+) /);
  expect(root[1]).toBe("overlay");
  await vm.expect("small-root: ready");
  vm.send("echo it-can-be-written > /etc/proof; cat /etc/proof; poweroff -f\n");
  await vm.expect("\nit-can-be-written");
  expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
});
