import { listConsoles, listShellTerminals, nameTerminal } from "../log/consoles.ts";
import type { Machine } from "../machine/machine.ts";
import { tolerateRefusal } from "../problems/errors.ts";

/** The terminals without the shell, while it runs: with Enter, twice, a person at one of them moves it there. */
export interface OtherTerminals {
  /** Called with the process id of the shell. */
  begin(pid: number): void;
  /** Waits a moment for what is typed; null if there is no other terminal. */
  readonly meanwhile: (() => void) | null;
  /** The terminal for the next shell; null if the shell was not moved. */
  wanted(): string | null;
  end(): void;
}

/** Of a program that listens to all of them. */
export const WATCH_NONE: OtherTerminals = {
  begin: () => undefined,
  meanwhile: null,
  wanted: () => null,
  end: () => undefined,
};

/** How soon the end of the shell is noticed. */
const MOMENT_MS = 200;
/** The second Enter counts within this time: a serial line without a cable may send anything at any time. */
const CONFIRM_MS = 10_000;
const [CARRIAGE_RETURN, LINE_FEED] = [0x0d, 0x0a];

/** Watches every terminal at which a person may sit but `terminal`. Nothing that is typed there is shown or kept. */
export function watchOtherTerminals(machine: Machine, terminal: string): OtherTerminals {
  const others = listConsoles(machine).length === 1 ? [] : listOthers(machine, terminal);
  const open = others.length === 0 ? [] : machine.openTerminals(others);
  let pid: number | null = null;
  let wanted: string | null = null;
  let first: { readonly node: string; readonly atMs: number } | null = null;

  function takeEnters(node: string, count: number): void {
    const isConfirmed = first?.node === node && machine.nowMs() - first.atMs < CONFIRM_MS;
    if (isConfirmed || count > 1) {
      wanted = node;
      // A shell that ignores it stays where it is, and a later Enter tries again.
      if (pid !== null) tolerateRefusal(() => machine.hangUp(pid ?? 0));
      return;
    }
    first = { node, atMs: machine.nowMs() };
    const place = nameTerminal(machine, terminal);
    machine.writeTerminal(
      node,
      `\r\nthe shell is on ${place}: press Enter again to end it there and start one here\r\n`,
    );
  }

  function listen(): void {
    const input = machine.readTerminals(MOMENT_MS, "typing");
    if (input.kind === "hangup") machine.sleepMs(MOMENT_MS);
    if (input.kind !== "typed") return;
    const count = countEnters(input.bytes);
    input.bytes.fill(0);
    if (count === null) first = null;
    else takeEnters(input.terminal, count);
  }

  return {
    begin(shell) {
      pid = shell;
    },
    meanwhile: open.length === 0 ? null : listen,
    wanted: () => wanted,
    end() {
      if (open.length > 0) machine.closeTerminals();
    },
  };
}

/** Returns how often Enter was pressed; null if anything else was. Some terminals send both characters for it. */
export function countEnters(bytes: Uint8Array): number | null {
  const returns = bytes.filter((byte) => byte === CARRIAGE_RETURN).length;
  const feeds = bytes.filter((byte) => byte === LINE_FEED).length;
  return returns + feeds < bytes.length ? null : Math.max(returns, feeds);
}

function listOthers(machine: Machine, terminal: string): readonly string[] {
  return listShellTerminals(machine).filter((node) => node !== terminal && node !== "/dev/console");
}
