/** Runs `act` with a Uint8Array that tells of every one that is made with memory of its own: what was secret in them has to be wiped. */
export function rememberArrays<T>(act: (remembered: readonly Uint8Array[]) => T): T {
  const remembered: Uint8Array[] = [];
  const real = globalThis.Uint8Array;
  class Remembering extends real {
    constructor(...given: unknown[]) {
      super(...(given as []));
      if (typeof given[0] === "number" || given.length === 1) remembered.push(this);
    }
  }
  globalThis.Uint8Array = Remembering as unknown as Uint8ArrayConstructor;
  try {
    return act(remembered);
  } finally {
    globalThis.Uint8Array = real;
  }
}
