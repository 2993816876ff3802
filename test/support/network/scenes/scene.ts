import type { FakeBootOptions } from "../../fake-boot.ts";

/** How a recipe of a table is run on the fake machine, and what shows that it did what the line says. */
export interface Scene {
  /** Makes command lines of the code in the line; by default each piece of code is one. */
  readonly write?: (code: readonly string[]) => readonly string[];
  /** What the machine has besides that of its table. */
  readonly machine?: FakeBootOptions;
  /** A line of the journal, of the mounts at the handover or of the console, or a part of one; for each command line. */
  readonly proof: string | RegExp;
}

/** The scenes of a table. */
export interface Scenes {
  /** What each command line begins with; "" for nothing. */
  readonly before: string;
  readonly machine: FakeBootOptions;
  /** By what the line says it is for. */
  readonly lines: Readonly<Record<string, Scene>>;
}
