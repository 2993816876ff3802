import { changeCopies, editJson, type Luks2Json, readJson, writeJsonText } from "./luks2-edit.ts";

export interface InvalidHeader {
  readonly name: string;
  /** From an image with one keyslot, 0, of a 512-bit key; segment 0 goes to the end of the device. */
  readonly corrupt: (image: Uint8Array) => Uint8Array;
  /** Part of what is said of it; null where it is to be accepted. */
  readonly reason: string | null;
  /** True where cryptsetup 2.6 takes what is refused here. */
  readonly isStricter?: boolean;
}

const text = (content: string) => new TextEncoder().encode(content);

/** The JSON of both copies changed. */
export function json(name: string, reason: string | null, edit: (json: Luks2Json) => void): InvalidHeader {
  return { name, reason, corrupt: (image) => editJson(image, edit) };
}

/** Refused here, and taken by cryptsetup 2.6. */
export function stricter(header: InvalidHeader): InvalidHeader {
  return { ...header, isStricter: true };
}

/** Another text in the JSON areas of both copies. */
export function rawJson(
  name: string,
  reason: string | null,
  write: (content: string, areaBytes: number) => string,
): InvalidHeader {
  const corrupt = (image: Uint8Array) => {
    const content = JSON.stringify(readJson(image));
    return writeJsonText(image, text(write(content, 0x4000 - 4096)));
  };
  return { name, reason, corrupt };
}

/** Both copies changed as bytes. */
export function binary(
  name: string,
  reason: string | null,
  change: (copy: Uint8Array, view: DataView) => void,
): InvalidHeader {
  return { name, reason, corrupt: (image) => changeCopies(image, change) };
}
