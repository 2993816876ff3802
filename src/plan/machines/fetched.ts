import * as v from "valibot";
import { isRackFile, parseRackFile } from "../../parameters/dialects/rack-file.ts";
import { findParameters, type ParameterKey } from "../../parameters/parameters.ts";
import { splitParameter } from "../../parameters/read-parameters.ts";
import { NETWORK } from "../../parameters/tables/network.ts";
import { problem } from "../../problems/problem.ts";
import { printable } from "../../problems/report.ts";
import { findMachines, type MachineIdentity } from "./match.ts";

const PARAMETERS = v.optional(v.pipe(v.array(v.string()), v.readonly()), []);

/** What a configuration from a server may say: a part of levain.toml, and where and until when it counts. */
const FETCHED = v.strictObject({
  only: v.optional(v.pipe(v.array(v.string()), v.readonly())),
  expires: v.optional(v.pipe(v.string(), v.isoDate())),
  parameters: PARAMETERS,
  machine: v.optional(v.record(v.string(), v.strictObject({ parameters: PARAMETERS })), {}),
});

/** What was decided before the configuration came: process 1 obeys the policy of failures even after a crash, and the network is up. */
const TOO_LATE: ReadonlySet<ParameterKey> = new Set(
  [
    ["shell", "emergency", "emergencySeconds", "panicSeconds", "saveLog", "configUrl"] as const,
    Object.keys(NETWORK) as (keyof typeof NETWORK)[],
  ].flat(),
);

/** Where a configuration is used, and when. */
export interface Recipient {
  readonly identity: MachineIdentity;
  /** Milliseconds since 1970. */
  readonly timeOfDayMs: number;
}

/** Returns the parameters of a fetched configuration that are for this machine. Throws BootError for one that is not as it should be: it is used as a whole or not at all. */
export function parseFetched(text: string, url: string, { identity, timeOfDayMs }: Recipient): readonly string[] {
  if (isRackFile(text)) return permit(parseRack(text, url), url);
  const result = v.safeParse(FETCHED, parseToml(text, url));
  if (!result.success) {
    const seen = result.issues.map((issue) => {
      const path = v.getDotPath(issue) ?? "the whole file";
      return printable(`${path}: Expected ${issue.expected ?? "something else"} but received ${issue.received}`);
    });
    throw problem("config-malformed", { url, mistakes: seen });
  }
  const { parameters, machine, only, expires } = result.output;
  const mistakes = [...refuseOthers(only, identity), ...refuseLate(expires, timeOfDayMs)];
  if (mistakes.length > 0) throw problem("config-malformed", { url, mistakes });
  const tables = findMachines(Object.keys(machine), identity).flatMap((name) => machine[name]?.parameters ?? []);
  return permit([...parameters, ...tables], url);
}

/** A file with a signature is genuine on each machine that has the key, so it says itself for which it was signed. */
function refuseOthers(only: readonly string[] | undefined, identity: MachineIdentity): readonly string[] {
  // Anyone who answers DHCP can set the host name.
  if (only === undefined || findMachines(only, { ...identity, hostname: null }).length > 0) return [];
  return [`it is for another machine: only = ${only.map((name) => JSON.stringify(name)).join(", ")}`].map(printable);
}

/** The last day counts to its end, in UTC. */
function refuseLate(expires: string | undefined, timeOfDayMs: number): readonly string[] {
  const today = new Date(timeOfDayMs).toISOString().slice(0, 10);
  return expires === undefined || today <= expires ? [] : [`it expired on ${expires}, and the clock shows ${today}`];
}

/** Returns the parameters, if all of them may come from a server. */
function permit(all: readonly string[], url: string): readonly string[] {
  const late = all.filter((given) => findParameters(splitParameter(given).name).some(({ key }) => TOO_LATE.has(key)));
  if (late.length === 0) return all;
  throw problem("config-malformed", {
    url,
    mistakes: late.map((given) => `${given} must be known before the network is up`),
  });
}

function parseRack(text: string, url: string): readonly string[] {
  const { parameters, mistakes } = parseRackFile(text);
  if (mistakes.length === 0) return parameters;
  throw problem("config-malformed", { url, mistakes });
}

function parseToml(text: string, url: string): unknown {
  try {
    return Bun.TOML.parse(text);
  } catch (error) {
    const mistake = error instanceof Error ? error.message : String(error);
    throw problem("config-malformed", { url, mistakes: [mistake.slice(0, 200)] });
  }
}

/** Names in the URL of a configuration. */
const NAMES = { mac: "macs", serial: "serial", uuid: "uuid", hostname: "hostname" } as const;
const VARIABLE = /\$\{(mac|serial|uuid|hostname)\}/g;

/** Puts what a machine is known by into the URL of its configuration. Throws BootError if that is not known. */
export function fillUrl(template: string, identity: MachineIdentity): string {
  return template.replaceAll(VARIABLE, (_, name: keyof typeof NAMES) => {
    const value = name === "mac" ? identity.macs[0] : identity[NAMES[name] as "serial" | "uuid" | "hostname"];
    if (value === undefined || value === null) throw problem("config-name-unknown", { url: template, name });
    return encodeURIComponent(value).replaceAll("%3A", ":");
  });
}
