import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** The file, named by test/run.ts to all that it starts, where each guest that QEMU lost has a line. */
export const LOST_GUESTS_VARIABLE = "LEVAIN_LOST_GUESTS";

/** The file, named by test/run.ts, with a line for each guest and command of the tests: seconds of CPU time, what it was. */
export const COSTS_VARIABLE = "LEVAIN_COSTS";
/** How many of the most expensive ones are reported. */
const REPORTED = 12;
const GUEST = "guest ";

/** Notes the CPU time of a command that has ended. */
export function noteCommandCost(argv: readonly string[], microseconds: bigint | undefined): void {
  noteCost(argv.join(" "), microseconds);
}

/** Notes the CPU time of a guest that has ended. */
export function noteGuestCost(name: string, microseconds: bigint | undefined): void {
  noteCost(`${GUEST}"${name}"`, microseconds);
}

function noteCost(what: string, microseconds: bigint | undefined): void {
  const file = process.env[COSTS_VARIABLE];
  if (file === undefined || microseconds === undefined) return;
  appendFileSync(file, `${(Number(microseconds) / 1e6).toFixed(2)} ${what.replaceAll(/\s+/g, " ")}\n`);
}

/** Returns lines that say what guests and commands cost in all, and which cost most. */
export function sumCosts(file: string): string[] {
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  const costs = lines.map((line) => {
    const [seconds = "", ...words] = line.split(" ");
    return { seconds: Number(seconds), what: words.join(" ") };
  });
  const guests = costs.filter(({ what }) => what.startsWith(GUEST));
  const commands = costs.filter(({ what }) => !what.startsWith(GUEST));
  const sum = (group: typeof costs) => group.reduce((total, { seconds }) => total + seconds, 0).toFixed(0);
  const most = costs.toSorted((a, b) => b.seconds - a.seconds).slice(0, REPORTED);
  return [
    `${sum(guests)} s for ${guests.length} guests, ${sum(commands)} s for ${commands.length} commands`,
    `by program: ${sumPrograms(commands) || "none"}`,
    ...most.map(({ seconds, what }) => `${seconds.toFixed(1)} s  ${shorten(what)}`),
  ];
}

/** Returns the programs whose commands cost most in all, "mke2fs 31 s in 80, …". */
function sumPrograms(commands: readonly { readonly seconds: number; readonly what: string }[]): string {
  const programs = Map.groupBy(commands, ({ what }) => /[^/ ]+(?= |$)/.exec(what)?.[0] ?? "");
  const sums = [...programs].map(([name, all]) => {
    return { name, count: all.length, seconds: all.reduce((total, { seconds }) => total + seconds, 0) };
  });
  const most = sums.toSorted((a, b) => b.seconds - a.seconds).slice(0, REPORTED);
  return most.map(({ name, seconds, count }) => `${name} ${seconds.toFixed(0)} s in ${count}`).join(", ");
}

/** The beginning and the end: of a long command, these say what it is for. */
function shorten(text: string): string {
  return text.length <= 160 ? text : `${text.slice(0, 60)} … ${text.slice(-97)}`;
}

/** Says that a guest is booted once more, because QEMU lost it, and leaves it to test/run.ts to count. */
export function noteLostGuest(what: string): void {
  console.error(`QEMU lost a guest, which is booted once more: ${what}`);
  const file = process.env[LOST_GUESTS_VARIABLE];
  if (file !== undefined) appendFileSync(file, `${what}\n`);
}
