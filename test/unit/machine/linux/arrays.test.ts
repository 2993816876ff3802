import { expect, test } from "bun:test";
import { createArrays } from "../../../../src/machine/linux/storage/arrays.ts";
import type { Answer, Order } from "../../../../src/machine/linux/workers/worker.ts";

/** Arrays whose orders are answered when the test says so. */
function arraysWith() {
  const written: (readonly [path: string, data: string])[] = [];
  const orders: Readonly<{ array: string; text: string; calls: string[]; finish: () => void }>[] = [];
  const files = {
    stat: () => ({}) as never,
    writeFile: (path: string, data: Uint8Array | string) => void written.push([path, Buffer.from(data).toString()]),
    makeNode: () => undefined,
  };
  const start = (order: Order, onAnswer?: () => void) => {
    let answer: Answer | null = null;
    const text = Buffer.from(order.data).toString("latin1");
    const array = /md\d+/.exec(text)?.[0] ?? "";
    const finish = () => {
      answer = { results: order.calls.map(() => 0), data: new Uint8Array() };
      onAnswer?.();
    };
    const shown = (argument: unknown) => (typeof argument === "object" ? Object.values(argument ?? {})[0] : argument);
    orders.push({ array, text, calls: order.calls.map(([name, , request]) => `${name} ${shown(request)}`), finish });
    return { answer: () => answer };
  };
  const carryOut = ({ calls }: Order): Answer => ({ results: calls.map(() => 0), data: new Uint8Array() });
  return {
    arrays: createArrays(files, { start, carryOut }),
    orders,
    written,
  };
}

const request = (name: string) => ({ name, metadata: "1.2", members: ["8:0", "8:16"] }) as const;
const STOP_ARRAY = 0x932;

test("an array is started by its own state, and no parameter of the kernel is changed for it", () => {
  const { arrays, orders, written } = arraysWith();
  const [one, other] = [arrays.startArray(request("md0")), arrays.startArray(request("md1"))];
  expect([one.isStarted(0), other.isStarted(0)]).toEqual([false, false]);
  // The members of the second are quick; those of the first one hang.
  orders[1]?.finish();
  other.isStarted(0);
  orders[2]?.finish();
  expect(other.isStarted(0)).toBe(true);
  expect(orders[2]?.text).toBe("/sys/class/block/md1/md/array_state\0read-auto\0");
  expect(orders[2]?.calls).toEqual(["openat 0", "write 36", "close undefined"]);
  one.leave();
  expect(written.map(([path]) => path)).toEqual(new Array(2).fill("/sys/module/md_mod/parameters/new_array"));
});

test("an array that is left while it starts is stopped when the kernel has answered, and nothing else is asked for it", () => {
  const { arrays, orders } = arraysWith();
  const array = arrays.startArray(request("md0"));
  expect(array.isStarted(0)).toBe(false);
  array.leave();
  expect(orders).toHaveLength(1);
  orders[0]?.finish();
  expect(orders.map((order) => [order.array, order.calls[1]])).toEqual([
    ["md0", expect.anything()],
    ["md0", `ioctl ${STOP_ARRAY}`],
  ]);
});

test("an array that is started stays when it is left", () => {
  const { arrays, orders } = arraysWith();
  const array = arrays.startArray(request("md0"));
  array.isStarted(0);
  orders[0]?.finish();
  array.isStarted(0);
  orders[1]?.finish();
  expect(array.isStarted(0)).toBe(true);
  array.leave();
  expect(orders).toHaveLength(2);
});
