// Records which pages of the runtime boots touch, for the packer: `bun bench/hot-pages.ts`. Writes build/stage0/paged/hot-pages.txt, or
// with GUEST_ARCH=aarch64 hot-pages-aarch64.txt.
// `--add [NAME…]` keeps the pages of the present list, too, and records only the boots that are named: two recordings differ by some
// pages, and one that is missing costs up to 160 ms.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { aarch64Site, hostSite } from "../build/site.ts";
import { endOfMemory } from "../build/stage0/checks.ts";
import {
  formatHotPages,
  HOT_PAGES,
  identifyRuntime,
  mergeSets,
  readHotPages,
} from "../build/stage0/paged/hot-pages.ts";
import { PAGE } from "../build/stage0/paged/memory.ts";
import { loads, readElf } from "../src/desk/program/elf.ts";
import { scratchDirectory } from "../test/support/cache.ts";
import { run } from "../test/support/command.ts";
import type { RecordedBoot } from "./recorded-boots.ts";

const ROOT = join(import.meta.dir, "..");
const IS_AARCH64 = process.env["GUEST_ARCH"] === "aarch64";
/** "max" has vectors of 2048 bits, with which the runtime crashes; processors have at most 512. */
const AARCH64_CPU = "max,sve-max-vq=1";
const SITE = IS_AARCH64 ? aarch64Site() : hostSite;
const LIST = join(ROOT, "build/stage0/paged", HOT_PAGES[SITE.target.name]);
/** A line of stage0's pager/record.c: the first page, and a bit for each page from it on. */
const RECORD = /levain: pages (\d+) ([0-9a-f]+)$/gm;

const recorder = join(scratchDirectory(), "levain");
const target = IS_AARCH64 ? ["--target", "aarch64"] : [];
await run([process.execPath, join(ROOT, "build/compile.ts"), ...target, "--recorder", recorder]);
// Read by test/support/levain-image.ts, which the fixtures use: so they are imported later.
process.env[IS_AARCH64 ? "LEVAIN_AARCH64_BINARY" : "LEVAIN_BINARY"] = recorder;
const { boot } = await import("../test/support/qemu.ts");
const { levainGuest } = await import("../test/support/levain-guest.ts");
const { BOOTS, FOLLOWING, PAUSE_MS } = await import("./recorded-boots.ts");

/** Boots once; returns the touched pages, counted from the first of the program, until the answer and after it. */
async function record({
  name,
  disks,
  extra,
  server,
  cmdline,
  act,
}: RecordedBoot): Promise<readonly [number[], number[]]> {
  const served = await server?.();
  const guest = await levainGuest({
    disks: [await disks()].flat(),
    extra: [...((await extra?.()) ?? []), ...(served?.extra ?? [])],
    image: served === undefined ? {} : { words: ["--network"] },
    cmdline: `${typeof cmdline === "string" ? cmdline : await cmdline()} ${served?.cmdline ?? ""} printk.devkmsg=on`,
  });
  // With all instructions that QEMU knows: libc and the runtime choose their code by them.
  const vm = await boot({ smp: 2, ...guest, name: `hot-pages-${name}`, cpu: IS_AARCH64 ? AARCH64_CPU : "max" });
  let before = "";
  try {
    await act(vm, () => {
      before = vm.log();
    });
    // The pager writes its last record when the program has ended, beside the real init.
    await vm.pause(PAUSE_MS);
    const log = vm.log();
    const pages = [readRecords(before), readRecords(log.slice(before.length))] as const;
    if (pages.flat().length === 0) throw new Error(`the boot "${name}" left no record`);
    console.error(`${name}: ${pages.map((each) => new Set(each).size).join(" and ")} pages`);
    return pages;
  } catch (error) {
    vm.keepLog();
    throw error;
  } finally {
    await vm.stop();
    await served?.stop();
  }
}

function readRecords(log: string): number[] {
  return [...log.matchAll(RECORD)].flatMap(([, first, bits]) => readBits(Number(first), bits ?? ""));
}

function readBits(first: number, hex: string): number[] {
  const bytes = Buffer.from(hex, "hex");
  return [...bytes].flatMap((byte, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (1 << bit)).map((bit) => first + at * 8 + bit),
  );
}

const runtime = readFileSync(SITE.runtime);
const elf = readElf(runtime);
const firstPage = Math.floor((loads(elf)[0]?.address ?? 0) / PAGE);
// Behind the runtime's own memory is the bundle, whose pages are others after each commit.
const endPage = Math.ceil(endOfMemory(elf) / PAGE);
const sets = new Map<string, { pages: Set<number>; isFollowing: boolean }>();
const { values, positionals } = parseArgs({ options: { add: { type: "boolean" } }, allowPositionals: true });
for (const each of BOOTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  for (const [index, pages] of (await record(each)).entries()) {
    const name = each.sets[index] ?? "";
    const isNew = (page: number) => page < endPage && ![...sets.values()].some((set) => set.pages.has(page));
    const set = sets.get(name) ?? { pages: new Set(), isFollowing: name === FOLLOWING };
    const more = pages.map((page) => firstPage + page).filter(isNew);
    sets.set(name, { ...set, pages: new Set([...set.pages, ...more]) });
    console.error(`${each.name}: ${new Set(more).size} more pages in "${name}"`);
  }
}
const identity = identifyRuntime(runtime, elf, Bun.version);
const isAdded = values.add === true || positionals.length > 0;
const present = isAdded ? readHotPages(readFileSync(LIST, "utf8"), identity) : [];
writeFileSync(LIST, formatHotPages(mergeSets(present, sets), identity));
process.exit(0);
