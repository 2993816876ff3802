import type { BlockDevice } from "./block-devices.ts";

/** The block devices that are present and have been probed, by the kernel's name. */
export type Inventory = Map<string, BlockDevice>;

/** Creates an inventory in the order in which devices appear, not in which they answer. A device that has not changed stays the same object, so that what is known of it still holds. */
export function createInventory() {
  const inventory: Inventory = new Map();
  /** The turn of each name; the devices of the inventory are in the order of their turns. */
  const turns = new Map<string, number>();
  const turnOf = (name: string) => turns.get(name) ?? 0;
  let nextTurn = 1;
  let lastTurn = 0;

  function sort(): void {
    const entries = [...inventory].toSorted(([one], [other]) => turnOf(one) - turnOf(other));
    inventory.clear();
    for (const [name, device] of entries) inventory.set(name, device);
  }

  return {
    inventory,
    appear(name: string): void {
      if (!turns.has(name)) turns.set(name, nextTurn++);
    },
    keep(name: string, device: BlockDevice | "gone"): void {
      const before = inventory.get(name);
      if (device === "gone") {
        inventory.delete(name);
        turns.delete(name);
        return;
      }
      inventory.set(name, before !== undefined && Bun.deepEquals(before, device) ? before : device);
      if (before === undefined && turnOf(name) < lastTurn) sort();
      lastTurn = Math.max(lastTurn, turnOf(name));
    },
  };
}
