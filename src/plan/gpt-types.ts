/**
 * GPT types of root partitions by machine, as `uname -m` prints it: the Discoverable Partitions Specification of the
 * UAPI group.
 */
const ROOT_TYPES: Readonly<Record<string, string>> = {
  x86_64: "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
  i686: "44479540-f297-41b2-9af7-d131d5f0458a",
  aarch64: "b921b045-1df0-41c3-af44-4c6f280d3fae",
  armv7l: "69dad710-2ce4-4e3c-b16c-21a1d49abed3",
  riscv64: "72ec70a6-cf74-40e6-bd49-4bda08e8f224",
  ppc64le: "c31c45e6-3f39-412e-80fb-4809c4980599",
  s390x: "5eead9a9-fe09-4a1e-a1d7-520d00531306",
  loongarch64: "77055800-792c-4f94-b39a-98c91b762bb6",
};

/** Returns the GPT type of the root partition of a machine; null if it has none. */
export function rootTypeOf(machine: string): string | null {
  return Object.hasOwn(ROOT_TYPES, machine) ? (ROOT_TYPES[machine] ?? null) : null;
}
