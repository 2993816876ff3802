// Records which pages of the runtime boots touch, for the packer: `bun bench/hot-pages.ts`. Writes build/stage0/paged/hot-pages.txt.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endOfMemory } from "../build/stage0/checks.ts";
import { formatHotPages, identifyRuntime } from "../build/stage0/paged/hot-pages.ts";
import { PAGE } from "../build/stage0/paged/memory.ts";
import { loads, readElf } from "../src/desk/program/elf.ts";
import { scratchDirectory } from "../test/support/cache.ts";
import { run } from "../test/support/command.ts";
import type { Vm } from "../test/support/qemu.ts";

const ROOT = join(import.meta.dir, "..");
const LIST = join(ROOT, "build/stage0/paged/hot-pages.txt");
/** A line of stage0's pager/record.c: the first page, and a bit for each page from it on. */
const RECORD = /levain: pages (\d+) ([0-9a-f]+)$/gm;

const recorder = join(scratchDirectory(), "levain");
await run([process.execPath, join(ROOT, "build/compile.ts"), "--recorder", recorder]);
// Read by test/support/levain-image.ts, which the fixtures use: so they are imported later.
process.env["LEVAIN_BINARY"] = recorder;
const { boot } = await import("../test/support/qemu.ts");
const { flashStick } = await import("../test/support/disk-images.ts");
const { encryptedVolume, LUKS_UUID, PASSPHRASE, ROOT_UUID } = await import("../test/support/encrypted-volumes.ts");
const { rootImage } = await import("../test/support/filesystem-images.ts");
const { levainGuest, PROMPT } = await import("../test/support/levain-guest.ts");
const { answer } = await import("../test/support/unlocking.ts");

const READY = "small-root: ready";
const COMMANDS = ["status", "devices", "log", "help", "plan root=LABEL=X", "retry root=LABEL=ROOT"];

interface Boot {
  readonly name: string;
  readonly disks: () => Promise<string>;
  readonly cmdline: string;
  readonly act: (vm: Vm) => Promise<unknown>;
}

const BOOTS: readonly Boot[] = [
  {
    name: "plain",
    disks: () => rootImage("ext4", { label: "ROOT" }),
    cmdline: "root=LABEL=ROOT",
    act: (vm) => vm.expect(READY),
  },
  {
    name: "encrypted",
    disks: async () => (await encryptedVolume("vault")).volume,
    cmdline: `rd.luks.uuid=${LUKS_UUID.vault} root=UUID=${ROOT_UUID}`,
    async act(vm) {
      await answer(vm, "wrong");
      await answer(vm, PASSPHRASE);
      await vm.expect(READY);
    },
  },
  {
    name: "live",
    disks: () => flashStick(),
    cmdline: "root=LABEL=FLASH rd.image=/newroot.sfs rd.overlay=tmpfs:size=100M",
    act: (vm) => vm.expect(READY),
  },
  {
    name: "rescue",
    disks: () => rootImage("ext4", { label: "ROOT" }),
    cmdline: "root=LABEL=WRONG rd.timeout=1",
    async act(vm) {
      for (const command of COMMANDS) {
        await vm.expect(PROMPT);
        vm.send(`levain ${command}\n`);
      }
      await vm.expect(READY);
    },
  },
];

/** Boots once; returns the touched pages, counted from the first of the program. */
async function record({ name, disks, cmdline, act }: Boot): Promise<number[]> {
  const guest = await levainGuest({ disks: [await disks()], cmdline: `${cmdline} printk.devkmsg=on` });
  // With all instructions that QEMU knows: libc and the runtime choose their code by them.
  const vm = await boot({ ...guest, name: `hot-pages-${name}`, cpu: "max" });
  try {
    await act(vm);
    // The pager writes its record when the program has ended, beside the real init.
    await vm.pause(3000);
    const pages = [...vm.log().matchAll(RECORD)].flatMap(([, first, bits]) => readBits(Number(first), bits ?? ""));
    if (pages.length === 0) throw new Error(`the boot "${name}" left no record`);
    console.error(`${name}: ${new Set(pages).size} pages`);
    return pages;
  } catch (error) {
    vm.keepLog();
    throw error;
  } finally {
    await vm.stop();
  }
}

function readBits(first: number, hex: string): number[] {
  const bytes = Buffer.from(hex, "hex");
  return [...bytes].flatMap((byte, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (1 << bit)).map((bit) => first + at * 8 + bit),
  );
}

const runtime = readFileSync(process.execPath);
const elf = readElf(runtime);
const firstPage = Math.floor((loads(elf)[0]?.address ?? 0) / PAGE);
// Behind the runtime's own memory is the bundle, whose pages are others after each commit.
const endPage = Math.ceil(endOfMemory(elf) / PAGE);
const sets = new Map<string, Set<number>>();
for (const each of BOOTS) {
  const pages = (await record(each)).map((page) => firstPage + page).filter((page) => page < endPage);
  const isNew = (page: number) => ![...sets.values()].some((set) => set.has(page));
  const set = new Set(pages.filter(isNew));
  sets.set(each.name, set);
  console.error(`${each.name}: ${set.size} more pages, ${((set.size * PAGE) / (1 << 20)).toFixed(1)} MiB`);
}
writeFileSync(LIST, formatHotPages(sets, identifyRuntime(runtime, elf, Bun.version)));
process.exit(0);
