import { existsSync, writeFileSync } from "node:fs";

/** Test files that take long, with the milliseconds that they took on two CPUs with an empty cache. */
const SLOW_TESTS: Readonly<Record<string, number>> = {
  "test/vm/recipes.test.ts": 260_000,
  "test/vm/resume.test.ts": 200_000,
  "test/vm/crypt-debian.test.ts": 139_000,
  "test/vm/foreign.test.ts": 130_000,
  "test/vm/exit-inits.test.ts": 120_000,
  "test/vm/root-forms.test.ts": 115_000,
  "test/vm/crypt-derivation.test.ts": 114_000,
  "test/vm/rescue.test.ts": 110_000,
  "test/vm/sync.test.ts": 110_000,
  "test/vm/kernels.test.ts": 110_000,
  "test/vm/untouched.test.ts": 110_000,
  "test/vm/stores.test.ts": 100_000,
  "test/vm/prompt.test.ts": 90_000,
  "test/vm/contract.test.ts": 81_000,
  "test/vm/trust.test.ts": 80_000,
  "test/vm/media.test.ts": 80_000,
  "test/vm/initrd.test.ts": 75_000,
  "test/vm/demo.test.ts": 71_000,
  "test/vm/silence.test.ts": 67_000,
  "test/vm/crypt-passphrase.test.ts": 65_000,
  "test/vm/crypt-containers.test.ts": 65_000,
  "test/vm/btrfs.test.ts": 62_000,
  "test/vm/stage0.test.ts": 60_000,
  "test/vm/subtrees.test.ts": 60_000,
  "test/vm/kernel-ciphers.test.ts": 56_000,
  "test/vm/rdshell.test.ts": 50_000,
  "test/vm/handover.test.ts": 50_000,
  "test/vm/root-names.test.ts": 50_000,
  "test/vm/harness.test.ts": 50_000,
  "test/vm/raid.test.ts": 50_000,
  "test/vm/verity.test.ts": 50_000,
  "test/vm/sealed.test.ts": 49_000,
  "test/vm/stay.test.ts": 45_000,
  "test/vm/live-images.test.ts": 45_000,
  "test/vm/probe-guest.test.ts": 45_000,
  "test/vm/console.test.ts": 42_000,
  "test/boot/crypt-refusals.test.ts": 40_000,
  "test/vm/image.test.ts": 40_000,
  "test/unit/build/compile.test.ts": 36_000,
  "test/vm/event-floods.test.ts": 30_000,
  "test/architecture.test.ts": 26_000,
  "test/unit/devices/block-devices.test.ts": 26_000,
  "test/vm/fsck.test.ts": 25_000,
  "test/unit/build/stage0/aarch64.test.ts": 23_000,
  "test/unit/desk/cli.test.ts": 20_000,
  "test/boot/refusals.test.ts": 15_000,
  "test/unit/desk/inspect/bombs.test.ts": 15_000,
  "test/boot/persistence.test.ts": 10_000,
  "test/unit/stack/sync/sync.test.ts": 10_000,
};

/**
 * Writes the file of timings that `bun test --timings` reads, if no run has written it yet. The runner starts the slowest files
 * first: without it, those that happen to come last run alone at the end, on one CPU.
 */
export function provideTimings(path: string): void {
  if (!existsSync(path)) writeFileSync(path, JSON.stringify({ version: 1, files: SLOW_TESTS }));
}
