import { readFileSync } from "node:fs";
import { isFile } from "../host.ts";

const LIST = "/usr/share/X11/xkb/rules/base.lst";

/** The words for ckbcomp(1) by the name of a keymap, as systemd-localed calls them: "de", "de-nodeadkeys". Empty where the host has no XKB. */
export function listLayouts(): ReadonlyMap<string, readonly string[]> {
  return isFile(LIST) ? parseLayouts(readFileSync(LIST, "utf8")) : new Map();
}

/** From the text of a rules file's list (xkeyboard-config(7)): sections of lines "name  description", a variant's description begins with "layout: ". */
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
