import { initProgram, type RuntimeKind } from "../../src/desk/program/init-program.ts";

/** Returns the program that `levain image` writes as /init, from the levain at `path`. */
export function initBytes(kind: RuntimeKind, path: string): Buffer {
  return Buffer.concat([...initProgram(kind, path).content.chunks()]);
}
