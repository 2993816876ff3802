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
  let list: readonly BlockDevice[] | null = null;

  function sort(): void {
    const entries = [...inventory].toSorted(([one], [other]) => turnOf(one) - turnOf(other));
    inventory.clear();
    for (const [name, device] of entries) inventory.set(name, device);
  }

  return {
    inventory,
    /** Lists the devices in their order: the same array until one of them changes, so that what was made of it still holds. */
    list: () => (list ??= [...inventory.values()]),
    appear(name: string): void {
      if (!turns.has(name)) turns.set(name, nextTurn++);
    },
    keep(name: string, device: BlockDevice | "gone"): void {
      const before = inventory.get(name);
      if (device === "gone") {
        if (inventory.delete(name)) list = null;
        turns.delete(name);
        return;
      }
      if (before !== undefined && Bun.deepEquals(before, device)) return;
      list = null;
      inventory.set(name, device);
      if (before === undefined && turnOf(name) < lastTurn) sort();
      lastTurn = Math.max(lastTurn, turnOf(name));
    },
  };
}
