import { describe, expect, test } from "bun:test";
import { settleBranch } from "../../../../src/stack/sync/settle.ts";
import { syncBranch } from "../../../../src/stack/sync/sync.ts";
import { type fakeLayers, PowerCutError, randomLayers } from "../../../support/sync/fake-layers.ts";
import { differences } from "../../../support/sync/snapshot.ts";

const SILENT = { warn: () => undefined, debug: () => undefined, progress: () => undefined };
const SEEDS = Array.from({ length: 150 }, (_, index) => index + 1);

/** As a boot does: the overlay is not mounted. */
function settle({ machine, order }: ReturnType<typeof fakeLayers>): void {
  settleBranch(machine, order.branch, SILENT);
}

describe("a sync", () => {
  test("makes the lower layers show what all layers showed, whatever marks overlayfs has set", () => {
    for (const seed of SEEDS) {
      const layers = randomLayers(seed);
      const wanted = layers.shown();
      syncBranch(layers.machine, layers.order, SILENT);
      expect([seed, ...differences(wanted, layers.shown())]).toEqual([seed]);
      settle(layers);
      expect([seed, ...differences(wanted, layers.below())]).toEqual([seed]);
      expect([seed, ...layers.tree("/store").list("")]).toEqual([seed, "upper"]);
    }
  });

  test("that a power failure interrupts leaves everything as it was, or is finished by the next boot", () => {
    const ends = { old: 0, new: 0 };
    for (const seed of SEEDS.slice(0, 20)) {
      const total = countChanges(seed);
      const step = Math.max(1, Math.floor(total / 25));
      for (let cut = seed % step; cut < total; cut += step) ends[cutPower(seed, cut)] += 1;
    }
    expect(Math.min(ends.old, ends.new)).toBeGreaterThan(100);
  });
});

function countChanges(seed: number): number {
  const layers = randomLayers(seed);
  layers.cutAfter(Number.POSITIVE_INFINITY);
  syncBranch(layers.machine, layers.order, SILENT);
  return layers.changes();
}

/** Cuts the power after so many changes, and once more while the boot finishes what was begun. Returns which tree is there in the end. */
function cutPower(seed: number, cut: number): "old" | "new" {
  const layers = randomLayers(seed);
  const [before, wanted] = [layers.below(), layers.shown()];
  layers.cutAfter(cut);
  expect(() => syncBranch(layers.machine, layers.order, SILENT)).toThrow(PowerCutError);
  layers.restart();
  layers.cutAfter(cut % 17);
  try {
    settle(layers);
  } catch (error) {
    expect(error).toBeInstanceOf(PowerCutError);
  }
  layers.restart();
  settle(layers);
  expect(layers.tree("/store").list("")).toEqual(["upper"]);
  if (differences(before, layers.below()).length === 0) return "old";
  expect([seed, cut, ...differences(wanted, layers.below())]).toEqual([seed, cut]);
  return "new";
}
