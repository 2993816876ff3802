import { createHash } from "node:crypto";
import { type Elf, loads } from "../../../src/desk/program/elf.ts";
import { BootError } from "../../../src/problems/errors.ts";

/** The runtime that a list belongs to: its version, and the SHA-256 of its code. */
export type RuntimeIdentity = Readonly<{ version: string; code: string }>;

const EXECUTE = 1;
const REMARKS = [
  "The pages of the runtime that boots and the commands of the rescue shell touch, by page number (address / 4096).",
  "Made by bench/hot-pages.ts; the packer refuses the list of another runtime.",
];

/** Identifies a runtime by its code: trimmed data, or another program in it, change nothing about the pages it touches. */
export function identifyRuntime(program: Uint8Array, elf: Elf, version: string): RuntimeIdentity {
  const hash = createHash("sha256");
  for (const { flags, offset, fileSize, address } of loads(elf)) {
    if ((flags & EXECUTE) === 0) continue;
    hash.update(`${address} ${fileSize}\n`);
    hash.update(program.subarray(offset, offset + fileSize));
  }
  return { version, code: hash.digest("hex") };
}

/** Reads a list of hot pages for `runtime`. Throws BootError if it is of another one. */
export function readHotPages(text: string, runtime: RuntimeIdentity): ReadonlySet<number> {
  const [version = "", code = "", ...ranges] = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const seen = `${version}, ${code}`;
  const own = identityLines(runtime).join(", ");
  if (seen !== own) {
    throw new BootError("the list of the runtime's hot pages is for another runtime", {
      seen: [`the list: ${seen}`, `this runtime: ${own}`],
      hint: "record it again: bun bench/hot-pages.ts",
    });
  }
  const pages = new Set<number>();
  for (const range of ranges) {
    const [, first = "", last = first] = /^([0-9a-f]+)(?:-([0-9a-f]+))?$/.exec(range) ?? [];
    if (first === "") throw new BootError(`the list of hot pages has an invalid line: ${range}`);
    for (let page = Number.parseInt(first, 16); page <= Number.parseInt(last, 16); page++) pages.add(page);
  }
  return pages;
}

/** The inverse of `readHotPages`. */
export function formatHotPages(pages: ReadonlySet<number>, runtime: RuntimeIdentity): string {
  const ranges: [number, number][] = [];
  for (const page of [...pages].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === page - 1) last[1] = page;
    else ranges.push([page, page]);
  }
  const lines = ranges.map(([first, last]) =>
    first === last ? first.toString(16) : `${first.toString(16)}-${last.toString(16)}`,
  );
  return `${[...REMARKS.map((line) => `# ${line}`), ...identityLines(runtime), ...lines].join("\n")}\n`;
}

function identityLines({ version, code }: RuntimeIdentity): string[] {
  return [`runtime ${version}`, `code ${code}`];
}
