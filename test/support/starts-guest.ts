import { takeGuestSlot } from "./guest-slot.ts";
import { LEVAIN } from "./levain-image.ts";
import { noteGuestCost } from "./run-notes.ts";

/** What came of a command. */
export interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const SIGTERM_STATUS = 128 + 15;
const LIMIT_MS = 600_000;
const END_TIMEOUT_MS = 2000;

/** Runs `levain …`, which starts a guest; `answer` is typed when `after` is on the console. An error shows the console's end. */
export async function startsGuest(name: string, argv: readonly string[], after = "", answer = ""): Promise<Answer> {
  const release = await takeGuestSlot();
  const child = Bun.spawn([LEVAIN, ...argv], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  const timer = setTimeout(() => child.kill("SIGTERM"), LIMIT_MS);
  try {
    let [stdout, stderr] = ["", ""];
    const heard = Promise.all([
      listen(child.stderr, (text) => {
        stderr += text;
      }),
      listen(child.stdout, (text) => {
        const isAnswered = after === "" || stdout.includes(after);
        stdout += text;
        if (isAnswered || !stdout.includes(after)) return;
        child.stdin.write(answer);
        child.stdin.flush();
      }),
    ]);
    const status = await child.exited;
    noteGuestCost(name, child.resourceUsage()?.cpuTime.total);
    // The runtime misses the end of a pipe now and then.
    await Promise.race([heard, Bun.sleep(END_TIMEOUT_MS)]);
    if (status !== SIGTERM_STATUS) return { status, stdout, stderr };
    throw new Error(`not done after ${LIMIT_MS} ms: ${stderr}\n${stdout.trimEnd().split("\n").slice(-40).join("\n")}`);
  } finally {
    clearTimeout(timer);
    release();
  }
}

async function listen(stream: ReadableStream<Uint8Array>, hear: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) hear(decoder.decode(chunk, { stream: true }));
}
