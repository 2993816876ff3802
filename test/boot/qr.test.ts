import { expect, test } from "bun:test";
import jsQR from "jsqr";
import { type FakeBootOptions, fakeBoot, rootImage } from "../support/fake-boot.ts";

const SCREEN = "/dev/tty0";
const PIXELS = 4;
const UTF8 = { "/module/vt/parameters/default_utf8": "1\n" };

/** A boot that fails, at a screen of this size. */
function fail(words = "", size = { columns: 100, rows: 50 }, sys: FakeBootOptions["sys"] = UTF8) {
  const { machine, record } = fakeBoot({
    cmdline: `root=LABEL=WRONG rd.timeout=1 rd.emergency=halt ${words}`,
    disks: [{ name: "vda", image: rootImage() }],
    dev: { "/ttyS0": { node: "character", number: "4:64" }, "/tty0": { node: "character", number: "4:0" } },
    sys: { "/class/tty/console/active": "tty0 ttyS0\n", "/class/tty/tty0/active": "tty1\n", ...sys },
    terminalSizes: { [SCREEN]: size },
  });
  return { screen: machine.terminals.screen(SCREEN), line: machine.terminals.screen("/dev/ttyS0"), record };
}

/** The rows of the code as light and dark modules, as a camera sees them: text is light. */
function modulesOf(text: string): boolean[][] {
  const rows: boolean[][] = [];
  for (const line of text.split("\n")) {
    if (/^[█▀▄ ]{20,}$/.test(line)) {
      rows.push(
        [...line].map((cell) => "█▀".includes(cell)),
        [...line].map((cell) => "█▄".includes(cell)),
      );
    } else if (line.includes("\x1b[7m")) {
      const cells = line.match(/\x1b\[7m {2}\x1b\[27m| {2}/g) ?? [];
      rows.push(cells.map((cell) => cell.startsWith("\x1b")));
    }
  }
  return rows;
}

/** Reads the code on a screen with another program than the one that made it; null if there is none. */
function readCode(text: string): string | null {
  const rows = modulesOf(text);
  const width = (rows[0]?.length ?? 0) * PIXELS;
  const pixels = rows.flatMap((row) =>
    Array.from({ length: PIXELS }, () => row.flatMap((isLight) => new Array<boolean>(PIXELS).fill(isLight))).flat(),
  );
  const bytes = Uint8ClampedArray.from(
    pixels.flatMap((isLight) => [...new Array<number>(3).fill(isLight ? 255 : 0), 255]),
  );
  return width === 0 ? null : (jsQR(bytes, width, rows.length * PIXELS)?.data ?? "not readable");
}

test("without an address the code has what failed and why", () => {
  const { screen, line, record } = fail();
  expect(readCode(screen)).toBe(
    `levain ${record.levain} device-not-found\ncould not find the root device\nno device with label "WRONG" appeared within 1 s`,
  );
  expect(readCode(line)).toBeNull();
});

test.each([
  ["with half blocks", UTF8],
  ["of two characters for a module, on a screen without UTF-8", { "/module/vt/parameters/default_utf8": "0\n" }],
])("the code %s is the address of the failure", (_, sys) => {
  const { screen } = fail("quiet rd.help.url=https://docs.example/errors#", undefined, sys);
  expect(readCode(screen)).toBe("https://docs.example/errors#device-not-found");
});

test("no code is shown where it does not fit, or is not wanted", () => {
  expect(readCode(fail("", { columns: 80, rows: 25 }).screen)).toBeNull();
  expect(readCode(fail("", { columns: 40, rows: 60 }).screen)).toBeNull();
  expect(readCode(fail("rd.help.url=no").screen)).toBeNull();
});
