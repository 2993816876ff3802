import * as abi from "./abi.ts";

/** A message of netlink(7). */
export interface NetlinkMessage {
  readonly type: number;
  readonly sequence: number;
  /** Without the header. */
  readonly payload: Uint8Array;
}

/** An attribute of a message (struct nlattr). */
export type Attribute = readonly [type: number, value: Uint8Array];

/** linux/netlink.h: messages and attributes begin at multiples of 4. */
const align = (length: number) => (length + 3) & ~3;
const ATTRIBUTE_HEADER = 4;

/** Encodes a message: its header, the struct of its family, and attributes. */
export function encodeMessage(
  { type, flags, sequence }: { readonly type: number; readonly flags: number; readonly sequence: number },
  head: Uint8Array,
  attributes: readonly Attribute[],
): Uint8Array {
  const body = encodeAttributes(attributes);
  const message = new Uint8Array(abi.NLMSGHDR.size + align(head.length) + body.length);
  const view = new DataView(message.buffer);
  view.setUint32(abi.NLMSGHDR.len, message.length, true);
  view.setUint16(abi.NLMSGHDR.type, type, true);
  view.setUint16(abi.NLMSGHDR.flags, flags, true);
  view.setUint32(abi.NLMSGHDR.seq, sequence, true);
  message.set(head, abi.NLMSGHDR.size);
  message.set(body, abi.NLMSGHDR.size + align(head.length));
  return message;
}

/** Encodes attributes one after the other: also the value of one that contains others. */
export function encodeAttributes(attributes: readonly Attribute[]): Uint8Array {
  const size = attributes.reduce((sum, [, value]) => sum + align(ATTRIBUTE_HEADER + value.length), 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [type, value] of attributes) {
    view.setUint16(at, ATTRIBUTE_HEADER + value.length, true);
    view.setUint16(at + 2, type, true);
    bytes.set(value, at + ATTRIBUTE_HEADER);
    at += align(ATTRIBUTE_HEADER + value.length);
  }
  return bytes;
}

/** Splits a datagram into its messages; what is cut off is left out. */
export function parseMessages(datagram: Uint8Array): readonly NetlinkMessage[] {
  const view = viewOf(datagram);
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + abi.NLMSGHDR.size <= datagram.length; ) {
    const length = view.getUint32(at + abi.NLMSGHDR.len, true);
    if (length < abi.NLMSGHDR.size || at + length > datagram.length) break;
    messages.push({
      type: view.getUint16(at + abi.NLMSGHDR.type, true),
      sequence: view.getUint32(at + abi.NLMSGHDR.seq, true),
      payload: datagram.subarray(at + abi.NLMSGHDR.size, at + length),
    });
    at += align(length);
  }
  return messages;
}

/** Returns the attributes in `bytes` by their type, the first of each; what is cut off is left out. */
export function parseAttributes(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const view = viewOf(bytes);
  const attributes = new Map<number, Uint8Array>();
  for (let at = 0; at + ATTRIBUTE_HEADER <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER || at + length > bytes.length) break;
    const type = view.getUint16(at + 2, true) & abi.NLA_TYPE_MASK;
    if (!attributes.has(type)) attributes.set(type, bytes.subarray(at + ATTRIBUTE_HEADER, at + length));
    at += align(length);
  }
  return attributes;
}

/** A number of 32 bits, in the byte order of the host. */
export function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/** A number of 16 bits. */
export function u16(value: number): Uint8Array {
  return new Uint8Array(Uint16Array.of(value).buffer);
}

/** Reads a number of 32 bits; 0 if it is missing. */
export function readU32(value: Uint8Array | undefined): number {
  return value === undefined || value.length < 4 ? 0 : viewOf(value).getUint32(0, true);
}

/** The view of the bytes of an array. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
