import type { Machine } from "../machine/machine.ts";
import { bytesOrNone, textOrNone } from "../machine/small-files.ts";
import { parseCommandLine } from "../parameters/cmdline.ts";
import { type BootError, orIfRefused } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";

/** Counters of the UARTs (uart_line_info of drivers/tty/serial/serial_core.c). */
const COUNTERS = "/proc/tty/driver/serial";
/** The console of the firmware: ACPI's Serial Port Console Redirection Table. */
const FIRMWARE_TABLE = "/sys/firmware/acpi/tables/SPCR";
const ADDRESS_AT = 44;
const SPEED_AT = 58;
/** The byte of its speed; 0 is "as it is". */
const SPEEDS: Readonly<Record<number, number>> = { 3: 9600, 4: 19_200, 6: 57_600, 7: 115_200 };

/** Of drivers/tty/serial/8250/8250_core.c, if console= names none. */
const DEFAULT_BAUD = 9600;
/** Noise on a line without a cable causes some, another speed causes one for most characters. */
const LEAST_ERRORS = 4;
const LEAST_SHARE = 1 / 4;

/** Returns what suggests that a serial console has another speed than the terminal at its other end; null if nothing does. */
export function findSerialFault(machine: Machine): BootError | null {
  const firmware = orIfRefused(() => readFirmwareConsole(machine), null);
  const lines = orIfRefused(() => textOrNone(machine, COUNTERS), "").split("\n");
  const speeds = orIfRefused(() => readSpeeds(machine), new Map<string, number>());
  for (const line of lines) {
    const [, number = "", address = ""] = /^(\d+): uart:\S+ (?:port:|mmio:0x)([\dA-F]+) /.exec(line) ?? [];
    const baud = speeds.get(`ttyS${number}`);
    if (baud === undefined) continue;
    const count = (name: string) => Number(new RegExp(` ${name}:(\\d+)`).exec(line)?.[1] ?? 0);
    const [errors, received] = [count("fe"), count("rx")];
    const isNoisy = errors >= LEAST_ERRORS && errors >= received * LEAST_SHARE;
    const isOther = firmware !== null && firmware.address === BigInt(`0x${address}`) && firmware.baud !== baud;
    if (!isNoisy && !isOther) continue;
    const facts = { terminal: `ttyS${number}`, baud, errors: isNoisy ? errors : 0, received };
    return problem("serial-speed", { ...facts, firmwareBaud: isOther ? firmware.baud : null });
  }
  return null;
}

/** Returns the speed of each serial line that console= names; of one that is named twice the first, as the kernel does. */
function readSpeeds(machine: Machine): ReadonlyMap<string, number> {
  const words = parseCommandLine(machine.readFile("/proc/cmdline")).words;
  const named = words
    .filter(({ name }) => name === "console")
    .map(({ value }) => /^(ttyS\d+)(?:,(\d+))?/.exec(value ?? ""));
  return new Map(
    named.toReversed().flatMap((match) => (match === null ? [] : [[match[1] ?? "", Number(match[2] ?? DEFAULT_BAUD)]])),
  );
}

function readFirmwareConsole(machine: Machine): { readonly address: bigint; readonly baud: number } | null {
  const bytes = bytesOrNone(machine, FIRMWARE_TABLE);
  if (bytes.length <= SPEED_AT) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const baud = SPEEDS[view.getUint8(SPEED_AT)];
  return baud === undefined ? null : { address: view.getBigUint64(ADDRESS_AT, true), baud };
}
