import { WRITE_AGAIN } from "../causes/verity.ts";
import { byHand, diagnosis, inBootLoader, inBuilder } from "../diagnosis.ts";

interface Named {
  /** The device of the medium, or the path of a file on it. */
  readonly name: string;
}

/** What is wrong with a medium or an image that was checked as a whole. */
export const CHECKS = {
  "file-damaged": diagnosis<Named & { what: string; offset: number | null }>({
    text: ({ name, offset }) =>
      `the medium is damaged: ${name}${offset === null ? "" : ` at byte ${offset} or behind it`}`,
    reasons: ({ what }) => [`it does not match ${what}`],
    hints: () => [WRITE_AGAIN],
  }),
  "file-missing": diagnosis<Named & { list: string }>({
    text: ({ name }) => `the medium is damaged: ${name} is missing`,
    reasons: ({ list }) => [`${list} lists it`],
    hints: () => [WRITE_AGAIN],
  }),
  "no-sums": diagnosis<{ names: readonly string[] }>({
    text: ({ names }) => `the medium has no checksum file: ${names.join(", ")}`,
    hints: () => [inBootLoader("remove rd.live.sums, verify-checksums, integrity-check or checksum")],
  }),
  "no-iso-checksum": diagnosis<Named>({
    text: ({ name }) => `${name} has no checksum in it`,
    hints: () => [inBootLoader("remove rd.live.check"), inBuilder("write one into the ISO: implantisomd5 FILE")],
  }),
  "digest-ambiguous": diagnosis<{ count: number }>({
    text: ({ count }) => `rd.image.digest= is for one image, but the medium has ${count}`,
    hints: () => [inBootLoader("name the image: rd.image=")],
  }),
  "signature-not-checked": diagnosis<Named>(({ name }) => `could not check the signature of ${name}`),
  "signature-missing": diagnosis<Named>({
    text: ({ name }) => `there is no signature ${name}`,
    hints: () => [
      byHand("copy the signature to the medium, beside the image"),
      inBootLoader("remove rd.image.cms or cms_verify"),
    ],
  }),
  "signature-wrong": diagnosis<Named>({
    text: ({ name }) => `no certificate of this initramfs has signed ${name}`,
    hints: () => [WRITE_AGAIN, inBuilder("add the certificate of the signer: levain image --add FILE:/codesign.crt")],
  }),
  "certificate-missing": diagnosis<{ paths: readonly string[] }>({
    text: ({ paths }) => `this initramfs has no certificate: neither ${paths.join(" nor ")}`,
    hints: () => [inBuilder("add the certificate of the signer: levain image --add FILE:/codesign.crt")],
  }),
  "certificate-unreadable": diagnosis<{ path: string }>({
    text: ({ path }) => `the certificate ${path} cannot be read`,
    hints: ({ path }) => [inBuilder(`add it again, in PEM or DER: levain image --add FILE:${path}`)],
  }),
};
