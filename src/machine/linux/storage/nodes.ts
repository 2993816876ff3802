import { SyscallError } from "../../../problems/errors.ts";
import type { Files } from "../../machine.ts";

/** The calls that `makeMissingNode` needs. */
export type NodeFiles = Pick<Files, "stat" | "readFile" | "makeNode">;

/** Makes the node of a device if devtmpfs has not; `numberFile` is the device's `dev` in sysfs. ENXIO if that has no number. */
export function makeMissingNode(files: NodeFiles, node: string, kind: "block" | "character", numberFile: string): void {
  if (files.stat(node) !== null) return;
  const text = Buffer.from(files.readFile(numberFile)).toString("latin1");
  const [, major, minor] = /^(\d+):(\d+)\n?$/.exec(text) ?? [];
  if (major === undefined || minor === undefined) throw new SyscallError("mknod", "ENXIO", node);
  files.makeNode(node, kind, Number(major), Number(minor), kind === "block" ? 0o660 : 0o600);
}
