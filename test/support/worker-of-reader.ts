import type { Order, Worker } from "../../src/machine/linux/workers/worker.ts";
import type { RandomReader } from "../../src/machine/machine.ts";

/** Creates a worker that carries out orders of readers with `reader` in the place of each file that it opens; `count` is called for each order. */
export function workerFor(reader: RandomReader, count: () => void): Worker {
  const FD = 5;
  let order: Order = { calls: [], data: new Uint8Array() };
  return {
    socket: -1,
    order(given) {
      count();
      order = given;
    },
    answer() {
      const data = new Uint8Array(order.answerBytes ?? order.data.length);
      const results = order.calls.map(([name, , place, length, offset]) => {
        if (name === "openat") return FD;
        if (name === "lseek") return reader.size;
        if (name !== "pread64" || typeof place !== "object" || !("data" in place)) return 0;
        const bytes = reader.read(Number(offset), Number(length));
        data.set(bytes, place.data);
        return bytes.length;
      });
      return { results, data };
    },
    dismiss: () => undefined,
    kill: () => undefined,
  };
}
