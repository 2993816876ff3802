import { createInterface } from "node:readline/promises";
import { equalSecrets, secretBytes, wipe } from "../../../crypto/secret.ts";
import { BootError } from "../../../problems/errors.ts";
import { printable } from "../../../problems/report.ts";
import { createTypedLine } from "../../../prompt/typed-line.ts";
import { readKeyFile } from "../../commands/disks/luks.ts";

/** True if questions can be asked on this terminal. */
export const hasTerminal = () => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** Asks on the terminal; only "yes" is a yes. */
export async function askYes(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // Ctrl-C and Ctrl-D.
    const refused = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
    return (await Promise.race([lines.question(`${question} (yes/no) `), refused])).trim().toLowerCase() === "yes";
  } finally {
    lines.close();
  }
}

/** A secret that the user chooses: what it is called, and the option that names a file with it. */
export interface NewSecret {
  readonly noun: "passphrase" | "password";
  readonly of: string;
  readonly option: string;
}

/** Asks for a new secret twice, without showing it; the caller wipes it. Throws BootError if both differ, or if it is empty. */
export async function askNewSecret({ noun, of, option }: NewSecret): Promise<Uint8Array> {
  if (!hasTerminal()) {
    throw new BootError(`no terminal to ask for the ${noun} of ${of}`, {
      hint: `read it from a file: --${option} FILE`,
    });
  }
  const first = await readHidden(noun, `${noun} of ${of}: `);
  const second = await readHidden(noun, "the same again: ").catch((error) => {
    wipe(first);
    throw error;
  });
  const isEqual = equalSecrets(first, second);
  wipe(second);
  if (isEqual && first.length > 0) return first;
  wipe(first);
  throw new BootError(isEqual ? `an empty ${noun} protects nothing` : `the ${noun}s differ`);
}

function readHidden(noun: NewSecret["noun"], question: string): Promise<Uint8Array> {
  const line = createTypedLine();
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  return new Promise<Uint8Array>((resolve, reject) => {
    const onData = (bytes: Buffer) => {
      const { end } = line.type(bytes, performance.now());
      wipe(bytes);
      if (end === null) return;
      stdin.off("data", onData);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write("\n");
      if (end === "entered") resolve(line.copy());
      else reject(new BootError(end === "cancelled" ? "cancelled" : `the ${noun} is too long`));
      line.wipe();
    };
    stdin.on("data", onData);
    stdin.resume();
  });
}

const [NEWLINE, SPACE] = [0x0a, 0x20];

/** Reads a new secret from a file; the caller wipes it. A newline at the end of a line of text does not count: it is not typed. Throws BootError. */
export function readNewSecret(path: string, { noun }: NewSecret): Uint8Array {
  const bytes = readKeyFile(path);
  const isLine = bytes.at(-1) === NEWLINE && bytes.subarray(0, -1).every((byte) => byte >= SPACE);
  const secret = secretBytes(isLine ? bytes.length - 1 : bytes.length);
  secret.set(bytes.subarray(0, secret.length));
  wipe(bytes);
  // chpasswd(8) would take the next line for another user.
  const hasLines = noun === "password" && secret.includes(NEWLINE);
  if (secret.length > 0 && !hasLines) return secret;
  wipe(secret);
  const why = hasLines ? "has more than one line" : `is empty: an empty ${noun} protects nothing`;
  throw new BootError(`${printable(path)} ${why}`);
}
