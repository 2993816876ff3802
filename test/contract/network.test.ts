import { expect, test } from "bun:test";
import { join } from "node:path";
import { fakeMachine } from "../support/fake-machine.ts";
import { runInLab } from "../support/network-lab.ts";
import { NETWORK_CASES } from "./network-cases.ts";

test("the fake network behaves as the cases say", () => {
  const machine = fakeMachine({ cards: [{ name: "v0", mac: "52:54:00:12:34:56" }] });
  for (const act of Object.values(NETWORK_CASES)) act(machine);
});

test("so does the kernel, in a namespace", async () => {
  const text = await runInLab({ command: `"$BUN" ${join(import.meta.dir, "network-real.ts")}` });
  expect(text.split("\n")).toEqual(expect.arrayContaining(Object.keys(NETWORK_CASES)));
});
