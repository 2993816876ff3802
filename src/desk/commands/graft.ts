import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { formatBytes } from "../../problems/size.ts";
import { type Compression, compress, parseCompression, STORED } from "../archive/compress.ts";
import { align, writeCpio } from "../archive/cpio.ts";
import { describeMemory, estimateMemoryOf } from "../archive/memory.ts";
import { checkWritable, writeWhole } from "../archive/output.ts";
import { padImage } from "../archive/padding.ts";
import type { ImageTree } from "../archive/tree.ts";
import { argument, type CommandWords, command, option } from "../command-line.ts";
import { attempt } from "../host.ts";
import { describeFallbacks } from "../image/kernel-fallback.ts";
import { addRuntime, describeRuntime, parseRuntime, RUNTIME_OPTION } from "../image/runtime.ts";
import { warnOfCopy } from "../image/secrets.ts";
import { describeKernel } from "../image/summary.ts";
import { type Inspection, inspectImage } from "../inspect/inspection.ts";
import { MAX_SIZE_OPTION, readMaxSize } from "../inspect/streams/size-limit.ts";
import { listFiles } from "../inspect/unpacked-tree.ts";
import { type KernelConfig, readKernelConfig } from "../modules/kernel-config.ts";
import { formatReport, JSON_OPTION, type Row, row } from "../report-rows.ts";
import { writeLine } from "../standard-output.ts";

/** `levain graft`: replaces only the init of another tool's image. */
export const graftCommand = command({
  name: "graft",
  description: "Replace only the init of another tool's initramfs",
  args: {
    image: argument("An initramfs of any tool; it is not changed"),
    output: option("FILE", "Write the new image to FILE (default: IMAGE.levain)", "o"),
    init: option("FILE", "Use this levain as /init (default: this program)"),
    ...RUNTIME_OPTION,
    compress: option("METHOD[:LEVEL]", "Compress a plain /init with zstd, lz4, gzip, xz or none (default: zstd)"),
    ...MAX_SIZE_OPTION,
    ...JSON_OPTION,
  },
  examples: { "levain graft /boot/initrd.img": "Write /boot/initrd.img.levain, with levain as its /init" },
  run: async (line) => {
    const summary = await graftInit(line);
    for (const warning of summary.warnings) console.error(`warning: ${printable(warning)}`);
    writeLine(formatReport(summary.output, summarize(summary), line.has("json")));
    return 0;
  },
});

// The kernel expects archives at multiples of four and lz4 data to end with four zeros; cpio(1) pads to 512.
const ALIGN_BYTES = 512;
const LEAST_PADDING = 4;

/**
 * Writes the bytes of an image, followed by an archive that contains only /init: the later of two members with one name counts,
 * so everything else is kept. Throws BootError, also if the kernel would not read the image to its end.
 */
async function graftInit(line: CommandWords) {
  const [image = ""] = line.words;
  const output = resolve(line.one("output") ?? `${image}.levain`);
  const maxSize = readMaxSize(line);
  const compression = parseCompression(line.one("compress") ?? "zstd");
  const before = inspectImage(image, maxSize);
  refuseDamaged(before);
  if (before.uki !== null) {
    throw new BootError(`cannot replace the init of ${image}: it is a unified kernel image`, {
      hint: "build another one with levain image --uki",
    });
  }
  checkWritable(output);
  const { init, method, runtime } = readInit(line, compression, configOf(before));
  const base = attempt(`cannot read ${image}`, () => readFileSync(image));
  const segment = padImage(compress(writeCpio([init]), method), method.method);
  const imageBytes = await writeWhole(output, joinImages(base, segment, before.bootConfig?.offset));
  const replaced = before.tree.root.children.get("init");
  const sizes = listFiles(before.tree.root)
    .filter((file) => file !== replaced)
    .map(({ data }) => data.length);
  return {
    // One if more users can read the new image than the old one.
    warnings: [runtime.warning, warnOfCopy(image, output)].filter((warning) => warning !== null),
    runtime,
    output,
    before,
    imageBytes,
    memory: estimateMemoryOf([...sizes, init.content.size], imageBytes),
  };
}

/** Only /init, as a directory above it, or a link beside it, could be a symbolic link in the other image. */
function readInit(line: CommandWords, compression: Compression, config: KernelConfig) {
  const tree: ImageTree = new Map();
  const request = line.one("runtime");
  const { isCompressed, runtime } = addRuntime(
    tree,
    line.one("init"),
    request === null ? null : parseRuntime(request),
    config,
  );
  const init = tree.get("/init");
  if (init?.kind !== "file") throw new BootError("no program for /init");
  return { init, method: isCompressed ? STORED : compression, runtime };
}

/** The kernels whose modules the image has; it may be booted with each. */
function configOf({ findings }: Inspection): KernelConfig {
  const configs = findings.kernels.flatMap(({ version }) =>
    version === null ? [] : [readKernelConfig({ version, modulesDir: `/lib/modules/${version}` })],
  );
  return (option) => {
    const answers = configs.map((config) => config(option));
    return answers.includes(false) ? false : answers.includes(true) || null;
  };
}

/** The kernel stops reading at damaged data, so it would not reach the new init. */
function refuseDamaged({ file, segments, problem, tree }: Inspection): void {
  const problems = [...segments.flatMap((segment) => segment.problems), ...(problem === null ? [] : [problem.message])];
  if (problems.length > 0) {
    throw new BootError(`cannot replace the init of ${file}: the kernel would not read the image to its end`, {
      seen: problems,
    });
  }
  if (tree.root.children.get("init")?.kind === "directory") {
    throw new BootError(`cannot replace the init of ${file}: its /init is a directory`);
  }
}

/** `end` is where the archives of `base` end: what follows, a boot configuration, has to stay at the end of the file. */
async function* joinImages(base: Uint8Array, segment: AsyncIterable<Uint8Array>, end = base.length) {
  yield base.subarray(0, end);
  yield new Uint8Array(align(end + LEAST_PADDING, ALIGN_BYTES) - end);
  yield* segment;
  yield base.subarray(end);
}

function summarize({ before, imageBytes, memory, runtime }: Awaited<ReturnType<typeof graftInit>>): readonly Row[] {
  const { findings, passedOver } = before;
  return [
    row("made of", { image: before.file, maker: findings.maker }, ({ image, maker }) =>
      maker === null ? image : `${image} (${maker})`,
    ),
    row(
      "kernel",
      findings.kernels.map(({ version, count }) => ({ version, modules: count })),
      describeKernels,
    ),
    row("runtime", { kind: runtime.kind, reason: runtime.reason }, describeRuntime),
    row("ignores", passedOver, (parts) =>
      parts.length === 0 ? null : `${parts.join(", ")}: only the replaced init read these`,
    ),
    row("old init", findings.init !== null, (isThere) =>
      isThere ? "the kernel starts it if the image is truncated before the new one" : null,
    ),
    row("fallback", findings.fallbacks, describeFallbacks),
    row("size", imageBytes, formatBytes),
    row("memory", memory, (need) => `needs ${describeMemory(need)}`),
  ];
}

function describeKernels(kernels: readonly { version: string | null; modules: number }[]): string {
  if (kernels.length === 0) return describeKernel(null);
  return kernels.map(({ version, modules }) => `${version ?? "unnamed"}, ${modules} modules`).join("; ");
}
