import { BootError } from "../../src/problems/errors.ts";
import { report } from "../../src/problems/report.ts";

/** Returns the report of the BootError that `action` throws. */
export function refusalOf(action: () => unknown): readonly string[] {
  try {
    action();
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    return report(error);
  }
  throw new Error("was not refused");
}

/** The same for an action that ends later. */
export async function laterRefusalOf(action: () => Promise<unknown>): Promise<readonly string[]> {
  const error = await action().catch((thrown: unknown) => thrown);
  return refusalOf(() => {
    throw error;
  });
}
