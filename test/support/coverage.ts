// Fails where the tests that need no guest run fewer than 90 % of the lines of src/: by the tracefile in the directory that is
// named, or else after it has run them itself.
// Left out: what answers for the real kernel (machine/linux/) runs only in guests, and the commands of a running Linux (desk/) are
// tested as the programs that they are, whose lines no tracefile has.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { scratchDirectory } from "./cache.ts";

const LEAST_PERCENT = 90;
const LEFT_OUT = /^src\/(machine\/linux|desk)\//;

interface Coverage {
  readonly file: string;
  readonly lines: number;
  readonly hit: number;
}

/** The flags with which `bun test` leaves its tracefile in `directory`. */
export function coverageFlags(directory: string): readonly string[] {
  return ["--coverage", "--coverage-reporter=lcov", `--coverage-dir=${directory}`];
}

/** The records of an lcov tracefile (geninfo(1)) for files of src/. */
export function readTracefile(text: string): Coverage[] {
  return text.split("end_of_record").flatMap((record) => {
    const file = /^SF:(.*)$/m.exec(record)?.[1] ?? "";
    const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)$`, "m").exec(record)?.[1] ?? 0);
    return file.startsWith("src/") ? [{ file, lines: field("LF"), hit: field("LH") }] : [];
  });
}

// A file that no test imports is in no tracefile: its lines without types and comments count as not run.
function unseenFile(file: string): Coverage {
  const code = new Bun.Transpiler({ loader: "ts" }).transformSync(readFileSync(file, "utf8"));
  return { file, lines: code.split("\n").filter((line) => /\w/.test(line)).length, hit: 0 };
}

function percent(hit: number, lines: number): number {
  return lines === 0 ? 100 : (100 * hit) / lines;
}

function runTests(directory: string): Promise<number> {
  const words = [...coverageFlags(directory), "--dots", "--timeout=600000", "test/unit", "test/boot", "test/contract"];
  return Bun.spawn([process.execPath, "test", ...words], { stdin: "ignore", stdout: "inherit", stderr: "inherit" })
    .exited;
}

if (import.meta.main) {
  const [given] = process.argv.slice(2);
  const directory = given ?? scratchDirectory();
  const status = given === undefined ? await runTests(directory) : 0;
  const seen = readTracefile(readFileSync(join(directory, "lcov.info"), "utf8"));
  const unseen = [...new Glob("src/**/*.ts").scanSync(".")]
    .filter((file) => !seen.some((entry) => entry.file === file))
    .map(unseenFile);
  const counted = [...seen, ...unseen].filter(({ file, lines }) => !LEFT_OUT.test(file) && lines > 0);
  counted.sort((a, b) => percent(a.hit, a.lines) - percent(b.hit, b.lines) || a.file.localeCompare(b.file));
  for (const { file, lines, hit } of counted) {
    if (hit < lines) console.log(`${percent(hit, lines).toFixed(0).padStart(4)} %  ${hit}/${lines}  ${file}`);
  }
  const total = percent(
    counted.reduce((sum, { hit }) => sum + hit, 0),
    counted.reduce((sum, { lines }) => sum + lines, 0),
  );
  console.log(`${total.toFixed(1)} % of the lines of src/ were run; at least ${LEAST_PERCENT} % must be`);
  process.exitCode = status === 0 && total >= LEAST_PERCENT ? 0 : 1;
}
