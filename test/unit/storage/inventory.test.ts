import { expect, test } from "bun:test";
import type { Context } from "../../../src/drivers/context.ts";
import type { DeviceEvent } from "../../../src/machine/machine.ts";
import type { DeviceProbes } from "../../../src/storage/device-probes.ts";
import { followEvents } from "../../../src/storage/inventory.ts";

const event = (number: number, subsystem: string, name: string): DeviceEvent => ({
  action: "add",
  devpath: `/devices/${name}`,
  subsystem,
  properties: { SEQNUM: String(number) },
});

/** Follows events that come one after the other, each after the handling of the one before; returns what was probed, and when the wait ended. */
function follow(events: readonly DeviceEvent[], timeoutMs: number) {
  const queue = [...events];
  const probed: string[] = [];
  let [nowMs, newest] = [0, 1];
  const machine = {
    nowMs: () => nowMs,
    stat: () => ({ kind: "file" }),
    readFile: () => Buffer.from(`${newest}\n`),
    nextDeviceEvent(waitMs: number) {
      const [first] = queue;
      if (first === undefined || Number(first.properties["SEQNUM"]) > newest) {
        nowMs += waitMs;
        return null;
      }
      return queue.shift() ?? null;
    },
  };
  const drivers = { handleEvent: () => void newest++, advance: () => undefined };
  const probes = {
    inventory: new Map(),
    isUnderWay: () => false,
    lookAll: (names: readonly string[]) => void probed.push(...names),
    advance: () => undefined,
    unanswered: () => [],
  };
  const context = { machine, drivers, voice: { debug: () => undefined } };
  followEvents(context as unknown as Context, probes as unknown as DeviceProbes, timeoutMs);
  return { probed, nowMs };
}

test("a wait goes on after an event that changes nothing", () => {
  expect(follow([event(1, "bdi", "bdi/8:0")], 5000)).toEqual({ probed: [], nowMs: 5000 });
});

test("a disk that appears while such an event is handled ends the wait", () => {
  const events = [event(1, "bdi", "bdi/8:0"), event(2, "block", "block/sda")];
  expect(follow(events, 5000)).toEqual({ probed: ["sda"], nowMs: 0 });
});
