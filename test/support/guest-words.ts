import { type Architecture, MACHINES } from "../../src/desk/qemu/machines.ts";
import { GUEST_ARCHITECTURE } from "./guest-architecture.ts";

/** What the kernel of a guest of this architecture is told. Where the host is busy, its warnings of CPUs that stand still say little. */
export const wordsOf = (architecture: Architecture) => {
  const { serial, emulatedWords } = MACHINES[architecture];
  return `console=${serial} ${emulatedWords} nowatchdog rcupdate.rcu_cpu_stall_suppress=1`;
};

/** The kernel's tests of its own ciphers and its defences against flaws of real CPUs prove nothing in an emulated one, and cost a tenth. */
export const QUICK_WORDS = "cryptomgr.notests mitigations=off";

/** What every guest's kernel is told; where a boot loader passes the command line, its entry needs it. */
export const GUEST_WORDS = `${wordsOf(GUEST_ARCHITECTURE)} ${QUICK_WORDS}`;

/**
 * For a guest that starts programs with shared libraries again and again: QEMU translates their code once, not at each new address.
 * Making volume groups cost 20 s instead of 30. Programs at fixed addresses, as levain and BusyBox, cost the same without it.
 */
export const SAME_ADDRESSES = "norandmaps";
