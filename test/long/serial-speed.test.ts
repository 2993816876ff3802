import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { levainGuest, PROMPT } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

const HEADER_BYTES = 36;
const TABLE_BYTES = 80;

/** ACPI's Serial Port Console Redirection Table without its header, as firmware writes it that uses COM1 at 19200 baud. */
function firmwareConsole(): string {
  const table = new DataView(new ArrayBuffer(TABLE_BYTES));
  const bytes = { 36: 0 /* a 16550 */, 40: 1 /* I/O ports */, 41: 8, 43: 1, 52: 1, 53: 4, 58: 4 /* 19200 */, 60: 1 };
  for (const [at, value] of Object.entries(bytes)) table.setUint8(Number(at), value);
  table.setBigUint64(44, 0x3f8n, true);
  const file = join(scratchDirectory(), "spcr");
  writeFileSync(file, new Uint8Array(table.buffer, HEADER_BYTES));
  return file;
}

// QEMU's serial lines have no speed: what another speed at the terminal does to characters cannot be shown there.
vmTest(
  "firmware that uses the serial line at another speed is named in the report of a failure",
  async () =>
    levainGuest({
      cmdline: "root=LABEL=WRONG rd.timeout=1",
      extra: ["-acpitable", `sig=SPCR,rev=2,data=${firmwareConsole()}`],
    }),
  async (vm) => {
    await vm.expect("could not find the root device");
    await vm.expect(PROMPT);
    expect(vm.log()).toMatch(/the\s+firmware\s+uses\s+19200/);
  },
);
