import type { ByteSource } from "../formats/facts.ts";
import { filesystemType } from "../formats/filesystems/filesystem-types.ts";
import { probe } from "../formats/probe.ts";
import { unlessRefused } from "../problems/errors.ts";
import { problem } from "../problems/problem.ts";

/** Probes an image file, or a part of one, and checks what its superblock says of it: the kernel finds most of that only when a file is read, after the handover. Throws BootError. `path` names it. */
export function checkImage(reader: ByteSource, path: string): ReturnType<typeof probe> {
  return unlessRefused(
    () => check(reader, path),
    (cause) => {
      throw problem("image-unreadable", { path }, { cause });
    },
  );
}

function check(reader: ByteSource, path: string): ReturnType<typeof probe> {
  const facts = probe(reader);
  if (reader.size === 0) throw problem("image-empty", { path });
  const flaw = filesystemType(facts.type ?? "").findFlaw?.(reader) ?? null;
  if (flaw?.kind === "short") {
    throw problem("image-cut-off", { path, bytes: reader.size, wholeBytes: flaw.wholeBytes });
  }
  if (flaw?.kind === "damaged") throw problem("image-damaged", { path, part: flaw.part });
  return facts;
}
