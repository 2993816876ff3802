import * as checks from "../checks.ts";
import { single, toggle } from "../parameter.ts";

const DIGEST = "sha256:6fe0c3d2a1b4958677a8b9cadbecfd0e1f2031425364758697a8b9cadbecfd0e";

/** Checks of a whole medium or image file before it is used. */
export const CHECKS = {
  checkIso: toggle({
    syntax: "rd.live.check[=yes|no]",
    text: "Check the medium, or the ISO file on it, by the MD5 that implantisomd5 has written into it. Esc skips the check.",
    example: "root=live:LABEL=LIVE rd.live.check",
  }),
  checkSums: single(checks.sumDigests, {
    syntax: "rd.live.sums[=yes|no|DIGEST[,DIGEST…]]",
    aliases: ["verify-checksums[=DIGEST,…]", "integrity-check", "checksum[=y]"],
    bare: "1",
    fallback: "no",
    text: "Check every file that a checksum file of the medium lists: sha512sum.txt, SHA512SUMS, md5sum.txt and the like, the strongest that is there or that DIGEST names (sha512, sha384, sha256, sha224, sha1, md5); of Arch Linux, airootfs.sha512. An image that is copied to memory is checked while it is copied. Esc skips the check.",
    example: "boot=live rd.live.sums",
  }),
  imageDigest: single(checks.imageDigest, {
    syntax: "rd.image.digest=ALGORITHM:HEX",
    text: "Check the image: sha256:HEX and sha512:HEX are what sha256sum and sha512sum print for the file, or what fsverity measure prints, if the file has fs-verity enabled: then it is not read, because the kernel verifies each page. Nothing skips this check.",
    example: `root=LABEL=FLASH rd.image=/newroot.sfs rd.image.digest=${DIGEST}`,
  }),
  imageSignature: single(checks.signedList, {
    syntax: "rd.image.sig[=URL]",
    bare: "",
    fallback: "no, unless the image has /etc/levain/image.pub",
    text: "Require a signature of the image that is downloaded: URL is a list of checksums, as sha256sum or sha512sum writes it, by default that of the image with .sha256 behind it, and URL.sig is its Ed25519 signature by the key /etc/levain/image.pub of the initramfs. Nothing skips this check.",
    example: "root=https://boot.example/root.sfs rd.image.sig",
  }),
  checkSignature: toggle({
    syntax: "rd.image.cms[=yes|no]",
    aliases: ["cms_verify[=y]"],
    text: "Check the CMS signature FILE.cms.sig of each image: by the certificate /codesign.crt of the initramfs, or by one in the signature that /codesign_CA.crt has issued. Nothing skips this check.",
    example: "archisolabel=ARCH_202511 rd.image.cms",
  }),
};
