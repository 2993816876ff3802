import { expect, test } from "bun:test";
import { createArrays } from "../../../../src/machine/linux/storage/arrays.ts";
import type { Answer, Order } from "../../../../src/machine/linux/workers/worker.ts";

const START_READ_ONLY = "/sys/module/md_mod/parameters/start_ro";

/** Arrays whose orders are answered when the test says so; `before` is the kernel's start_ro. */
function arraysWith(before: string) {
  const parameters = new Map([[START_READ_ONLY, before]]);
  const orders: { readonly array: string; readonly calls: string[]; readonly finish: () => void }[] = [];
  const files = {
    stat: () => ({}) as never,
    readFile: (path: string) => Buffer.from(parameters.get(path) ?? ""),
    writeFile: (path: string, data: Uint8Array | string) => void parameters.set(path, Buffer.from(data).toString()),
    makeNode: () => undefined,
  };
  const start = (order: Order, onAnswer?: () => void) => {
    let answer: Answer | null = null;
    const array = /md\d+/.exec(Buffer.from(order.data).toString("latin1"))?.[0] ?? "";
    const finish = () => {
      answer = { results: order.calls.map(() => 0), data: new Uint8Array() };
      onAnswer?.();
    };
    orders.push({ array, calls: order.calls.map(([name, , request]) => `${name} ${request}`), finish });
    return { answer: () => answer };
  };
  const carryOut = ({ calls }: Order): Answer => ({ results: calls.map(() => 0), data: new Uint8Array() });
  return {
    arrays: createArrays(files, { start, carryOut }),
    orders,
    startReadOnly: () => parameters.get(START_READ_ONLY),
  };
}

const request = (name: string) => ({ name, metadata: "1.2", members: ["8:0", "8:16"] }) as const;
const STOP_ARRAY = 0x932;

test("the kernel starts arrays read-only until every start is over, and not afterwards", () => {
  const { arrays, orders, startReadOnly } = arraysWith("0\n");
  const [one, other] = [arrays.startArray(request("md0")), arrays.startArray(request("md1"))];
  expect([one.isStarted(0), other.isStarted(0)]).toEqual([false, false]);
  // The members of the second are quick; those of the first one hang.
  orders[1]?.finish();
  other.isStarted(0);
  orders[2]?.finish();
  expect(other.isStarted(0)).toBe(true);
  expect(startReadOnly()).toBe("1");
  orders[0]?.finish();
  one.isStarted(0);
  orders[3]?.finish();
  expect(one.isStarted(0)).toBe(true);
  expect(startReadOnly()).toBe("0\n");
});

test("an array that is left while it starts is stopped when the kernel has answered, and nothing else is asked for it", () => {
  const { arrays, orders, startReadOnly } = arraysWith("0\n");
  const array = arrays.startArray(request("md0"));
  expect(array.isStarted(0)).toBe(false);
  array.leave();
  expect(orders).toHaveLength(1);
  orders[0]?.finish();
  expect(orders.map((order) => [order.array, order.calls[1]])).toEqual([
    ["md0", expect.anything()],
    ["md0", `ioctl ${STOP_ARRAY}`],
  ]);
  expect(startReadOnly()).toBe("0\n");
});

test("an array that is started stays when it is left", () => {
  const { arrays, orders } = arraysWith("0\n");
  const array = arrays.startArray(request("md0"));
  array.isStarted(0);
  orders[0]?.finish();
  array.isStarted(0);
  orders[1]?.finish();
  expect(array.isStarted(0)).toBe(true);
  array.leave();
  expect(orders).toHaveLength(2);
});
