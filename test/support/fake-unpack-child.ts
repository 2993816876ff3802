import { createHash } from "node:crypto";
import type { Child } from "../../src/machine/child.ts";
import type { Files } from "../../src/machine/machine.ts";
import type { ArchiveFault } from "../../src/problems/causes/archive.ts";
import { decodeOrder, encodeNews, type UnpackNews, type UnpackOrder } from "../../src/stack/archive/order.ts";
import { asDirectory, type FakeTree, makeFakeTree } from "./fake-files.ts";
import type { FakeImage } from "./fake-images.ts";
import type { FakeKernel } from "./fake-kernel.ts";

const REPORT_MS = 200;
const TURN_MS = 1000;
/** The content of an archive whose medium never answers. */
export const STUCK_ARCHIVE = Buffer.from("an archive that cannot be read");

/** An archive, and the tree in it; for `images`. */
export function fakeArchive(tree: FakeTree): FakeImage {
  archivesMade += 1;
  return { type: "tar", bytes: Buffer.from(`archive ${archivesMade}`), root: makeFakeTree(tree) };
}

let archivesMade = 0;

/** The process that unpacks: the first report says that it runs, the second how it ended. */
export function createFakeUnpackChild(kernel: FakeKernel, files: Pick<Files, "readFile">): Child {
  let order: UnpackOrder | null = null;
  let reports = 0;
  return {
    order(bytes) {
      order = decodeOrder(bytes) ?? order;
    },
    answer() {
      if (order === null) throw new Error("FakeMachine: nothing was ordered");
      const bytes = files.readFile(order.archive);
      const isStuck = STUCK_ARCHIVE.equals(bytes);
      kernel.waitUntil(kernel.nowMs + (isStuck ? TURN_MS : REPORT_MS));
      if (isStuck) return { kind: "busy" };
      reports += 1;
      const state = reports === 1 ? "running" : unpack(kernel, order, bytes);
      const news: UnpackNews = { doneBytes: bytes.length, entries: 7, unpackedBytes: 1 << 20, lost: [], state };
      return { kind: "answer", bytes: encodeNews(news) };
    },
    hasDaemons: () => false,
    stop: () => undefined,
  };
}

function unpack(kernel: FakeKernel, { target, digest }: UnpackOrder, bytes: Uint8Array): "done" | ArchiveFault {
  const image = kernel.devices.imageOf(bytes);
  if (image?.type !== "tar") return { flaw: "header", path: "", detail: "0" };
  const hex = createHash(digest?.algorithm ?? "sha256")
    .update(bytes)
    .digest("hex");
  if (digest !== null && digest.hex !== hex) return { flaw: "digest", path: "", detail: `${digest.algorithm}:${hex}` };
  const { entries } = asDirectory(kernel.namespace.find(target, "open").node, "open", target);
  for (const [name, node] of image.root.entries) entries.set(name, node);
  return "done";
}
