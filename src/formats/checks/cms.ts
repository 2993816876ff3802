import { BootError } from "../../problems/errors.ts";

/** One signature of a CMS SignedData (RFC 5652, 5.3). */
export interface CmsSigner {
  /** By the name of node:crypto. */
  readonly digest: "sha256" | "sha384" | "sha512";
  /** What was signed: these attributes, as they were encoded for the signature, and in them the digest of the content. null: the content itself. */
  readonly attributes: { readonly bytes: Uint8Array; readonly contentDigest: Uint8Array } | null;
  readonly signature: Uint8Array;
}

/** A detached signature. */
export interface CmsSignature {
  readonly signers: readonly CmsSigner[];
  /** The certificates in it, DER each. */
  readonly certificates: readonly Uint8Array[];
}

/** A signature with a chain of certificates has a few KiB. */
export const MOST_CMS_BYTES = 256 * 1024;

const SIGNED_DATA = "2a864886f70d010702";
const MESSAGE_DIGEST = "2a864886f70d010904";
const DIGESTS: Readonly<Record<string, CmsSigner["digest"]>> = {
  "608648016503040201": "sha256",
  "608648016503040202": "sha384",
  "608648016503040203": "sha512",
};
/** RSA with PKCS #1 v1.5, alone and with each digest; ECDSA with each digest. */
const SIGNATURES = [
  ...["01", "0b", "0c", "0d"].map((last) => `2a864886f70d0101${last}`),
  ...["02", "03", "04"].map((last) => `2a8648ce3d0403${last}`),
];

interface Element {
  readonly tag: number;
  /** With its tag and length. */
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

const TAG = {
  integer: 0x02,
  octets: 0x04,
  oid: 0x06,
  sequence: 0x30,
  set: 0x31,
  context0: 0xa0,
  context1: 0xa1,
} as const;

/** Reads a DER-encoded SignedData. Throws BootError for anything else. */
export function readCms(bytes: Uint8Array): CmsSignature {
  if (bytes.length > MOST_CMS_BYTES) throw malformed("it is too long");
  const [info] = readAll(bytes);
  const [type, wrapped] = readAll(expect(info, TAG.sequence));
  if (hex(expect(type, TAG.oid)) !== SIGNED_DATA) throw malformed("it is no SignedData");
  const [data] = readAll(expect(wrapped, TAG.context0));
  const [, , , ...rest] = readAll(expect(data, TAG.sequence));
  const certificates = rest.find(({ tag }) => tag === TAG.context0);
  const signers = rest.find(({ tag }) => tag === TAG.set);
  return {
    certificates: certificates === undefined ? [] : readAll(certificates.content).map(({ whole }) => whole),
    signers: readAll(expect(signers, TAG.set)).map(readSigner),
  };
}

function readSigner(element: Element): CmsSigner {
  const [, , digestAlgorithm, ...rest] = readAll(expect(element, TAG.sequence));
  const digest = DIGESTS[algorithmOf(digestAlgorithm)];
  if (digest === undefined) throw malformed("its digest is none of SHA-256, SHA-384 and SHA-512");
  const attributes = rest[0]?.tag === TAG.context0 ? rest[0] : null;
  const [algorithm, signature] = attributes === null ? rest : rest.slice(1);
  if (!SIGNATURES.includes(algorithmOf(algorithm)))
    throw malformed("its algorithm is neither RSA (PKCS #1 v1.5) nor ECDSA");
  return {
    digest,
    attributes: attributes === null ? null : readAttributes(attributes),
    signature: expect(signature, TAG.octets),
  };
}

/** The signature covers the attributes as a SET, and not with the tag that they have here (RFC 5652, 5.4). */
function readAttributes({ whole, content }: Element): CmsSigner["attributes"] {
  for (const attribute of readAll(content)) {
    const [type, values] = readAll(expect(attribute, TAG.sequence));
    if (hex(expect(type, TAG.oid)) !== MESSAGE_DIGEST) continue;
    const [value, more] = readAll(expect(values, TAG.set));
    if (more !== undefined) break;
    return { bytes: Uint8Array.from(whole).with(0, TAG.set), contentDigest: expect(value, TAG.octets) };
  }
  throw malformed("its attributes have no digest of the content");
}

function algorithmOf(element: Element | undefined): string {
  const [type] = readAll(expect(element, TAG.sequence));
  return hex(expect(type, TAG.oid));
}

function expect(element: Element | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw malformed("it is not DER of a SignedData");
  return element.content;
}

/** Reads elements of DER with definite lengths (X.690, 8.1). */
function readAll(bytes: Uint8Array): readonly Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag = 0, first = 0] = bytes.subarray(at, at + 2);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if ((tag & 0x1f) === 0x1f || first === 0x80 || lengthBytes > 4) throw malformed("it is not DER of a SignedData");
    const start = at + 2 + lengthBytes;
    const length = lengthBytes === 0 ? first : bytes.subarray(at + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
    if (start + length > bytes.length) throw malformed("it is cut off");
    elements.push({ tag, whole: bytes.subarray(at, start + length), content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
}

const hex = (bytes: Uint8Array) => bytes.toHex();

function malformed(why: string): BootError {
  return new BootError(`the CMS signature is malformed: ${why}`);
}
