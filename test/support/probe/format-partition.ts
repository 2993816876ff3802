import type { Partition } from "../../../src/formats/partitions/model.ts";

/** partx writes all bytes that are not ASCII as \xNN. */
function escapeLikePartx(text: string): string {
  const hex = (letter: string) => Buffer.from(letter).toString("hex").replace(/../g, "\\x$&");
  return text.replace(/[^ -~]/gu, hex);
}

/** Formats a partition as `listPartitions` of real-tools.ts does. */
export function formatPartition({ number, start, size, name, uuid, type, attributes, scheme }: Partition): string {
  const flags = `0x${attributes.toString(16)}`;
  return [number, start, size, escapeLikePartx(name ?? ""), uuid ?? "", type, flags, scheme].join("|");
}
