import { createHash } from "node:crypto";
import type { Child } from "../../src/machine/child.ts";
import type { Files } from "../../src/machine/machine.ts";
import { type DownloadNews, type DownloadOrder, decodeOrder, encodeNews } from "../../src/network/fetch/order.ts";
import type { Fault } from "../../src/problems/causes/transfer.ts";
import type { FakeKernel } from "./fake-kernel.ts";

/** What web servers answer, by URL: a file, or why there is none. */
export type FakeWeb = Readonly<Record<string, Uint8Array | SlowFile | Fault>>;

/** A file of which the first byte comes late. */
export interface SlowFile {
  readonly file: Uint8Array;
  readonly afterMs: number;
}

/** A megabyte takes a tenth of a second. */
const BYTES_PER_MS = 10_000;
const REPORT_MS = 200;
const UNKNOWN: Fault = { kind: "connection", code: "ENOTFOUND" };

/** The process that downloads: it tries each URL once. */
export function createFakeDownloadChild(kernel: FakeKernel, files: Pick<Files, "writeFile">, web: FakeWeb): Child {
  let run: { readonly order: DownloadOrder; readonly startMs: number } | null = null;
  return {
    order(bytes) {
      const order = decodeOrder(bytes);
      if (order !== null) run = { order, startMs: kernel.nowMs };
    },
    answer() {
      kernel.waitUntil(kernel.nowMs + REPORT_MS);
      if (run === null) throw new Error("FakeMachine: nothing was ordered");
      const { order, startMs } = run;
      const tries = order.urls.map((url) => ({ url, ...tryUrl(web[url] ?? UNKNOWN, order) }));
      const found = tries.find(({ file }) => file !== null);
      const failures = tries.flatMap(({ url, fault }) => (fault === null ? [] : { url, fault }));
      const totalBytes = found?.file?.length ?? null;
      const sentMs = Math.max(0, kernel.nowMs - startMs - (found?.afterMs ?? 0));
      const doneBytes = Math.min(totalBytes ?? 0, sentMs * BYTES_PER_MS);
      const common = { doneBytes, totalBytes, url: found?.url ?? null, failures: [], notes: [] };
      if (found?.file == null) return answer({ ...common, state: "failed", last: failures });
      if (doneBytes < found.file.length) return answer({ ...common, state: "running", last: [] });
      files.writeFile(order.path, found.file);
      return answer({ ...common, state: "done", last: [] });
    },
    hasDaemons: () => false,
    stop: () => undefined,
  };
}

function answer(news: DownloadNews): ReturnType<Child["answer"]> {
  return { kind: "answer", bytes: encodeNews(news) };
}

function tryUrl(given: FakeWeb[string], order: DownloadOrder): Tried {
  const afterMs = "file" in given ? given.afterMs : 0;
  return { ...tryFile("file" in given ? given.file : given, order), afterMs };
}

interface Tried {
  readonly file: Uint8Array | null;
  readonly fault: Fault | null;
  readonly afterMs: number;
}

function tryFile(given: Uint8Array | Fault, { digest, limitBytes }: DownloadOrder): Omit<Tried, "afterMs"> {
  if (!(given instanceof Uint8Array)) return { file: null, fault: given };
  const totalBytes = given.length;
  if (totalBytes > limitBytes) return { file: null, fault: { kind: "too-large" as const, limitBytes, totalBytes } };
  if (digest === null) return { file: given, fault: null };
  const { algorithm } = digest;
  const hex = createHash(algorithm).update(given).digest("hex");
  return hex === digest.hex
    ? { file: given, fault: null }
    : { file: null, fault: { kind: "digest" as const, algorithm, hex } };
}
