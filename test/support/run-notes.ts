import { appendFileSync } from "node:fs";

/** The file, named by test/run.ts to all that it starts, where each guest that QEMU lost has a line. */
export const LOST_GUESTS_VARIABLE = "LEVAIN_LOST_GUESTS";

/** Says that a guest is booted once more, because QEMU lost it, and leaves it to test/run.ts to count. */
export function noteLostGuest(what: string): void {
  console.error(`QEMU lost a guest, which is booted once more: ${what}`);
  const file = process.env[LOST_GUESTS_VARIABLE];
  if (file !== undefined) appendFileSync(file, `${what}\n`);
}
