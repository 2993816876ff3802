/** An entry of syslinux.cfg or extlinux.conf as it is written there. */
export interface SyslinuxEntry {
  readonly title: string;
  readonly linux: string;
  readonly initrds: readonly string[];
  readonly cmdline: string;
  readonly isDefault: boolean;
}

interface Label {
  readonly name: string;
  title: string;
  linux: string;
  initrds: readonly string[];
  append: string;
  isMenuDefault: boolean;
}

/** What a keyword says of the entry that it stands in. */
const KEYWORDS: Readonly<Record<string, (value: string) => Partial<Label>>> = {
  kernel: (linux) => ({ linux }),
  linux: (linux) => ({ linux }),
  initrd: (value) => ({ initrds: value.split(",") }),
  append: (append) => ({ append }),
  "menu label": (value) => ({ title: value.replaceAll("^", "") }),
  "menu default": () => ({ isMenuDefault: true }),
};

/** Reads the entries of a configuration of SYSLINUX 6 (syslinux.txt); keywords are in upper or lower case. */
export function parseSyslinuxConfig(text: string): readonly SyslinuxEntry[] {
  const common = newLabel("");
  const labels: Label[] = [];
  let chosen = "";
  for (const line of text.split("\n")) {
    const [, keyword = "", value = ""] = /^\s*(menu\s+(?:label|default)|\w+)\s*(.*?)\s*$/i.exec(line) ?? [];
    const key = keyword.toLowerCase().replace(/\s+/g, " ");
    if (key === "label") labels.push(newLabel(value));
    else if (key === "default") chosen = value;
    else if (Object.hasOwn(KEYWORDS, key)) Object.assign(labels.at(-1) ?? common, KEYWORDS[key]?.(value));
  }
  const first =
    labels.find(({ isMenuDefault }) => isMenuDefault) ?? labels.find(({ name }) => name === chosen) ?? labels[0];
  return labels
    .filter(({ linux }) => linux !== "")
    .map((label) => ({ ...describe(label, common.append), isDefault: label === first }));
}

function newLabel(name: string): Label {
  return { name, title: name, linux: "", initrds: [], append: "", isMenuDefault: false };
}

/** APPEND of an entry replaces the common one, and "-" leaves it out; an initrd= in it is loaded, too. */
function describe({ title, linux, initrds, append }: Label, common: string): Omit<SyslinuxEntry, "isDefault"> {
  const words = (append === "-" ? "" : append || common).split(/\s+/).filter((word) => word !== "");
  const given = words.flatMap((word) => (word.startsWith("initrd=") ? word.slice("initrd=".length).split(",") : []));
  const cmdline = words.filter((word) => !word.startsWith("initrd=")).join(" ");
  return { title, linux, initrds: [...given, ...initrds], cmdline };
}
