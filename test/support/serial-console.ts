import { afterMs, type Clock } from "./guest-clock.ts";

// A colour or cursor sequence, and the start of one that is cut off at the end of what came so far.
const ESCAPE_SEQUENCE = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_c78=>])/g;
const CUT_OFF = /\x1b(?:\[[0-9;?]*)?$|\r$/;
const PANIC_END = "---[ end Kernel panic";
const TAIL_LINES = 40;
// A RegExp that matches up to the very end of what came may match more when the rest of the line comes: this long, nothing may come.
const SETTLE_MS = 150;

/** A space may be where a line of the narration is wrapped. */
function acceptWrapped({ source, flags }: RegExp): RegExp {
  return new RegExp(source.replaceAll(/ |\\x20/g, "(?: |\\n {12})"), flags);
}

interface Waiter {
  /** Looks for the text. */
  readonly check: () => void;
  readonly fail: (why: string) => void;
}

/** What the guest said on its serial line, and the waiting for it. Text is without `\r` and terminal sequences. */
export class SerialConsole {
  /** Every byte, as text. */
  raw = "";
  /** The same without `\r` and terminal sequences. */
  text = "";
  /** When something came last, by `clock`. */
  heardMs: number;
  #pending = "";
  #consumed = 0;
  #ended: string | null = null;
  readonly #waiters = new Set<Waiter>();
  readonly clock: Clock;

  /** `clock` is what timeouts are counted by. */
  constructor(clock: Clock) {
    this.clock = clock;
    this.heardMs = clock();
  }

  /** Takes what the guest sent. */
  append(chunk: string): void {
    this.raw += chunk;
    this.heardMs = this.clock();
    const all = this.#pending + chunk;
    const cut = CUT_OFF.exec(all)?.index ?? all.length;
    this.#pending = all.slice(cut);
    this.text += all.slice(0, cut).replace(ESCAPE_SEQUENCE, "").replaceAll("\r", "");
    for (const waiter of [...this.#waiters]) waiter.check();
    if (this.text.includes(PANIC_END, this.#consumed)) this.#failAll("the kernel panicked");
  }

  /** Says that nothing more will come. */
  end(why: string): void {
    this.#ended ??= why;
    for (const waiter of [...this.#waiters]) waiter.check();
    this.#failAll(this.#ended);
  }

  /** The last lines that were said. */
  tail(): string {
    return this.text.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
  }

  /** Waits for the next `pattern` in what no earlier `expect` has consumed; throws with the last 40 lines where it does not come. */
  expect(pattern: string | RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    const expression = acceptWrapped(typeof pattern === "string" ? new RegExp(RegExp.escape(pattern)) : pattern);
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    let settling: Timer | undefined;
    const finish = (): void => {
      cancel();
      clearTimeout(settling);
      this.#waiters.delete(waiter);
    };
    const waiter: Waiter = {
      check: () => {
        clearTimeout(settling);
        const match = expression.exec(this.text.slice(this.#consumed));
        if (match === null) return;
        const take = (): void => {
          this.#consumed += match.index + match[0].length;
          finish();
          resolve(match);
        };
        const isOpen =
          typeof pattern !== "string" && match.index + match[0].length === this.text.length - this.#consumed;
        if (isOpen && this.#ended === null) settling = setTimeout(take, SETTLE_MS);
        else take();
      },
      fail: (why) => {
        finish();
        reject(new Error(`the console did not say ${pattern}: ${why}. Its last lines:\n${this.tail()}`));
      },
    };
    const cancel = afterMs(this.clock, timeoutMs, () => waiter.fail(`${timeoutMs} ms are over`));
    this.#waiters.add(waiter);
    waiter.check();
    if (this.#ended !== null) waiter.fail(this.#ended);
    return promise;
  }

  #failAll(why: string): void {
    for (const waiter of [...this.#waiters]) waiter.fail(why);
  }
}
