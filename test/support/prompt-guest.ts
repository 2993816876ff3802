import { createLinuxMachine } from "../../src/machine/linux/linux.ts";
import { createHeldTerminals } from "../../src/prompt/held-terminals.ts";
import { applyKeymap } from "../../src/prompt/keymap.ts";
import { askPassphrase } from "../../src/prompt/passphrase.ts";
import { errands } from "./errands.ts";

// The program of a guest that asks for passphrases until one is "end". Of each answer it says the bytes in hexadecimal digits, and
// what stands on the screen.
const END = Buffer.from("end").toString("hex");
const machine = createLinuxMachine();
const say = (text: string) => machine.writeConsole(`${text}\n`);
machine.makeDirectory("/sys");
machine.mount({ source: "sysfs", target: "/sys", type: "sysfs", flags: [], options: "" });
machine.listenForDevices();
const keymap = applyKeymap(machine, "de-latin1", { warn: say, debug: say, progress: say });
const terminals = createHeldTerminals(machine);

for (let number = 1; ; number++) {
  const question = { volume: `volume ${number}`, triesLeft: 3, keymap, timeoutMs: null, lastWasWrong: number === 2 };
  const answer = askPassphrase(
    machine,
    terminals,
    question,
    errands(() => {
      while (machine.nextDeviceEvent(0) !== null);
      return false;
    }),
  );
  // Not by Buffer.from, which copies: the guest's memory is searched for what was typed.
  const hex = answer.kind === "passphrase" ? answer.bytes.toHex() : "";
  if (answer.kind === "passphrase") answer.bytes.fill(0);
  say(`answer ${number}: ${answer.kind} ${hex}`);
  for (const line of screenLines()) say(`screen: ${line}|`);
  say("screen ends");
  if (hex === END) break;
}
machine.power("poweroff");

/** vcs(4): the characters of the virtual terminal in front, with its size and the place of its cursor before them. */
function screenLines(): readonly string[] {
  if (machine.stat("/dev/vcsa") === null) return [];
  const [rows = 0, columns = 0, x = 0, y = 0, ...cells] = machine.readFile("/dev/vcsa");
  const text = cells.filter((_, index) => index % 2 === 0).map((byte) => String.fromCharCode(byte));
  const lines = Array.from({ length: rows }, (_, row) =>
    text
      .slice(row * columns, (row + 1) * columns)
      .join("")
      .trimEnd(),
  );
  return [...lines.slice(0, y), `cursor at column ${x}`];
}
