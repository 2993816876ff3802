/** A device that the rules of mdev.conf are matched against. */
export interface MdevDevice {
  /** DEVNAME, below /dev: "sda1", "mapper/control". */
  readonly name: string;
  /** Last component of its path in /sys: "device-mapper". */
  readonly kernelName: string;
  readonly major: number;
  readonly minor: number;
  /** KEY=value of its uevent, with SUBSYSTEM. */
  readonly properties: Readonly<Record<string, string>>;
}

/** Place, owner and mode of a node; paths are absolute. */
export interface NodePlan {
  readonly path: string;
  /** Symbolic link to it, or null. */
  readonly link: string | null;
  readonly userId: number;
  readonly groupId: number;
  /** Permission bits. */
  readonly mode: number;
}

interface MdevRule {
  /** Returns the groups of the match; null if the rule does not match the device. */
  readonly match: (device: MdevDevice) => readonly (string | undefined)[] | null;
  readonly userId: number;
  readonly groupId: number;
  readonly mode: number;
  /** "=path", ">path", "!" or "". */
  readonly place: string;
}

/** The rules of mdev.conf, and what levain cannot honour, a line each for the user. */
export interface MdevConfig {
  readonly rules: readonly MdevRule[];
  readonly problems: readonly string[];
}

type Ids = Readonly<Record<"users" | "groups", ReadonlyMap<string, number>>>;

/** Mode of a node that no rule matches and for which the kernel names none. */
const DEFAULT_MODE = 0o660;

/** Parses mdev.conf, as described in BusyBox's docs/mdev.txt: `[-][VAR=regex;…]regex|@major,minor[-minor]|$VAR=regex  user:group  mode  [=path|>path|!]  [@|$|*command]`. The first rule that matches counts. */
export function parseMdevConfig(text: string, ids: Ids): MdevConfig {
  const rules: MdevRule[] = [];
  const problems: string[] = [];
  const commands: number[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const [target = "", owner = "", mode = "", ...rest] = line
      .replace(/#.*/, "")
      .trim()
      .split(/[ \t]+/);
    const place = /^[=>!]/.test(rest[0] ?? "") ? (rest.shift() ?? "") : "";
    if (rest.length > 0) commands.push(index + 1);
    // After a rule with "-" mdev continues, and a later rule sets owner and mode again: such a rule only runs a command.
    if (target === "" || target.startsWith("-")) continue;
    const rule = readRule(target, owner, mode, ids);
    if (typeof rule === "string") problems.push(`line ${index + 1}: ${rule}`);
    else rules.push({ ...rule, place });
  }
  if (commands.length > 0) problems.push(`commands are not run (line ${commands.join(", ")})`);
  return { rules, problems };
}

/** Returns the rule without its place, or what is wrong with it. */
function readRule(target: string, owner: string, mode: string, ids: Ids): Omit<MdevRule, "place"> | string {
  if (owner === "" || mode === "") return "owner or mode is missing";
  const [user = "", group = ""] = owner.split(":", 2);
  const userId = ids.users.get(user) ?? readNumber(user);
  const groupId = ids.groups.get(group) ?? readNumber(group);
  if (userId === null) return `there is no user ${user}`;
  if (groupId === null) return `there is no group ${group}`;
  if (!/^[0-7]{1,5}$/.test(mode)) return `${mode} is not a mode`;
  const match = readMatch(target);
  return match === null
    ? `${target} is not a valid pattern`
    : { match, userId, groupId, mode: Number.parseInt(mode, 8) & 0o7777 };
}

const readNumber = (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : null);

/** Returns null for an invalid pattern. */
function readMatch(target: string): MdevRule["match"] | null {
  const conditions = target.split(";");
  const matchLast = readLastMatch(conditions.pop() ?? "");
  const tests = conditions.map(readCondition);
  if (matchLast === null || tests.includes(null)) return null;
  return (device) => (tests.every((test) => test?.(device) === true) ? matchLast(device) : null);
}

function readLastMatch(text: string): MdevRule["match"] | null {
  const [, major, minor, lastMinor] = /^@(\d+)(?:,(\d+)(?:-(\d+))?)?$/.exec(text) ?? [];
  if (major !== undefined) {
    const first = Number(minor ?? 0);
    const last = minor === undefined ? Number.POSITIVE_INFINITY : Number(lastMinor ?? minor);
    return (device) =>
      device.major === Number(major) && device.minor >= first && device.minor <= last ? [device.name] : null;
  }
  const [, variable, pattern = text] = /^\$(\w+)=(.*)$/.exec(text) ?? [];
  const regex = compileExtended(`^(${pattern})$`);
  if (regex === null) return null;
  return (device) => {
    const names = variable === undefined ? [device.name, device.kernelName] : [device.properties[variable]];
    const found = names.map((name) => (name === undefined ? null : regex.exec(name))).find((result) => result !== null);
    return found?.slice(1) ?? null;
  };
}

function readCondition(text: string): ((device: MdevDevice) => boolean) | null {
  const [, variable = "", pattern = ""] = /^(\w+)=(.*)$/.exec(text) ?? [];
  const regex = variable === "" ? null : compileExtended(pattern);
  return regex === null ? null : ({ properties: { [variable]: value } }) => value !== undefined && regex.test(value);
}

const CLASSES: Readonly<Record<string, string>> = {
  alpha: "a-zA-Z",
  digit: "0-9",
  alnum: "a-zA-Z0-9",
  lower: "a-z",
  upper: "A-Z",
  xdigit: "0-9a-fA-F",
  space: "\\s",
  punct: "!-\\/:-@\\[-`{-~",
};

/** Converts an extended regular expression of POSIX to JavaScript: they differ inside brackets. Returns null for an invalid one. */
function compileExtended(pattern: string): RegExp | null {
  const converted = pattern.replace(
    /\\.|\[(\^?)(\]?(?:\[:\w+:\]|[^\]])*)\]/g,
    (all, not: string | undefined, set = "") => (not === undefined ? all : `[${not}${convertSet(set)}]`),
  );
  try {
    return new RegExp(converted);
  } catch {
    return null;
  }
}

function convertSet(set: string): string {
  return set.replace(/\[:(\w+):\]|[\\\][]/g, (all, name?: string) =>
    name === undefined ? `\\${all}` : (CLASSES[name] ?? ""),
  );
}

/** Plans the node of a device by the rules; null if they say that it gets none. A device that no rule matches gets what devtmpfs gives it, but with mdev's 0660. */
export function planNode(rules: readonly MdevRule[], device: MdevDevice): NodePlan | null {
  for (const rule of rules) {
    const groups = rule.match(device);
    if (groups === null) continue;
    if (rule.place === "!") return null;
    return { ...placeNode(rule.place, groups, device), userId: rule.userId, groupId: rule.groupId, mode: rule.mode };
  }
  const wish = /^0[0-7]{1,4}$/.exec(device.properties["DEVMODE"] ?? "")?.[0];
  const mode = wish === undefined ? DEFAULT_MODE : Number.parseInt(wish, 8);
  return { path: `/dev/${device.name}`, link: null, userId: 0, groupId: 0, mode };
}

/** `=dir/` keeps the name; %0 to %9 are replaced with the groups of the match. */
function placeNode(place: string, groups: readonly (string | undefined)[], { name }: MdevDevice) {
  const usual = `/dev/${name}`;
  if (place.length < 2) return { path: usual, link: null };
  const given = place.slice(1).replace(/%(\d)/g, (all, digit: string) => groups[Number(digit)] ?? all);
  const whole = given.endsWith("/") ? `${given}${name.slice(name.lastIndexOf("/") + 1)}` : given;
  const path = whole.startsWith("/") ? whole : `/dev/${whole}`;
  return { path, link: place.startsWith(">") && path !== usual ? usual : null };
}
