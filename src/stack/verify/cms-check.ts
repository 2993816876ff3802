import type { KeyObject, X509Certificate } from "node:crypto";
import { runtimeCrypto } from "../../crypto/secret.ts";
import { type CmsSignature, type CmsSigner, MOST_CMS_BYTES, readCms } from "../../formats/checks/cms.ts";
import type { Machine } from "../../machine/machine.ts";
import { orProblem, problem } from "../../problems/problem.ts";
import { digestCheck, type StreamCheck } from "./stream-check.ts";

/** Where mkinitcpio-archiso's install hook puts the certificates into an initramfs: that of the signer, and that of its issuer. */
const SIGNER = "/codesign.crt";
const ISSUER = "/codesign_CA.crt";

/** Returns the check of an image by the signature in `file`, which a certificate of the initramfs has to vouch for. Throws BootError. */
export function cmsCheck(machine: Machine, path: string, file: string): StreamCheck {
  return orProblem("signature-not-checked", { name: path }, () => {
    if ((machine.stat(file)?.size ?? 0) > MOST_CMS_BYTES) throw problem("signature-wrong", { name: path });
    const cms = readCms(machine.readFile(file));
    const keys = listTrusted(machine, cms);
    for (const signer of cms.signers) {
      const check = signer.attributes === null ? contentCheck(signer, keys) : attributeCheck(signer, keys);
      if (check !== null) return check;
    }
    throw problem("signature-wrong", { name: path });
  });
}

const WHAT = "its CMS signature";

/** The signature is right if one of the keys has made it: that shows when all of the content was read. */
function contentCheck({ digest, signature }: CmsSigner, keys: readonly KeyObject[]): StreamCheck {
  const verifiers = keys.map((key) => ({ key, verifier: runtimeCrypto().createVerify(digest) }));
  return {
    what: WHAT,
    canSkip: false,
    update(part) {
      for (const { verifier } of verifiers) verifier.update(part);
    },
    finish: () => (verifiers.some(({ key, verifier }) => verifier.verify(key, signature)) ? null : { offset: null }),
  };
}

/** The signature is that of the attributes, which have the digest of the content; null if no key has made it. */
function attributeCheck({ digest, attributes, signature }: CmsSigner, keys: readonly KeyObject[]): StreamCheck | null {
  const isBy = (key: KeyObject) =>
    attributes !== null && runtimeCrypto().verify(digest, attributes.bytes, key, signature);
  if (attributes === null || !keys.some(isBy)) return null;
  return digestCheck(digest, attributes.contentDigest.toHex(), WHAT, false);
}

/** The keys of the signer's certificate in the image, and of those in the signature that the issuer in the image has signed. The clock of a machine that boots proves nothing, so validity is not checked. */
function listTrusted(machine: Machine, { certificates }: CmsSignature): readonly KeyObject[] {
  const signers = readCertificates(machine, SIGNER);
  const issuers = readCertificates(machine, ISSUER);
  if (signers.length + issuers.length === 0) throw problem("certificate-missing", { paths: [SIGNER, ISSUER] });
  const issued = certificates
    .map((bytes) => new (runtimeCrypto().X509Certificate)(bytes))
    .filter((certificate) => issuers.some((issuer) => isIssuedBy(certificate, issuer)));
  return [...signers, ...issued].map(({ publicKey }) => publicKey);
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** PEM, of which every certificate counts, or DER. */
function readCertificates(machine: Machine, path: string): readonly X509Certificate[] {
  if (machine.stat(path)?.kind !== "file") return [];
  const { X509Certificate: Certificate } = runtimeCrypto();
  const bytes = machine.readFile(path);
  const blocks = Buffer.from(bytes)
    .toString("latin1")
    .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  return orProblem("certificate-unreadable", { path }, () => (blocks ?? [bytes]).map((one) => new Certificate(one)));
}
