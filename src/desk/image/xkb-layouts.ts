import { readFileSync } from "node:fs";
import { isFile } from "../host.ts";

const LIST = "/usr/share/X11/xkb/rules/base.lst";

/** Returns the arguments of ckbcomp(1) by keymap names of systemd-localed: "de", "de-nodeadkeys". Empty if the host has no XKB. */
export function listLayouts(): ReadonlyMap<string, readonly string[]> {
  return isFile(LIST) ? parseLayouts(readFileSync(LIST, "utf8")) : new Map();
}

/** Parses a rules list (xkeyboard-config(7)): sections of lines "name  description", where a variant's description begins with "layout: ". */
export function parseLayouts(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  let section = "";
  for (const line of text.split("\n")) {
    section = /^! (\w+)/.exec(line)?.[1] ?? section;
    const [, name = "", rest = ""] = /^ {2}(\S+)\s+(.*)$/.exec(line) ?? [];
    if (name === "") continue;
    if (section === "layout") found.set(name, ["-layout", name]);
    const layout = /^(\S+): /.exec(rest)?.[1];
    if (section === "variant" && layout !== undefined) {
      found.set(`${layout}-${name}`, ["-layout", layout, "-variant", name]);
    }
  }
  return found;
}
