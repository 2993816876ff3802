import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached, recipeKey } from "./cache.ts";
import { runScript } from "./command.ts";

/** Signatures by the real openssl over the content, as mkarchiso makes them, and the certificates for an initramfs. */
export interface SignedContent {
  /** Without attributes and certificates: `cms -sign -binary -noattr -nocerts`. */
  readonly plain: Uint8Array;
  /** With both. */
  readonly attributed: Uint8Array;
  /** By ECDSA, without attributes. */
  readonly elliptic: Uint8Array;
  readonly certificate: string;
  readonly ellipticCertificate: string;
  /** Has issued `certificate`. */
  readonly issuer: string;
  /** Has signed nothing. */
  readonly stranger: string;
}

export async function signedContent(content: Uint8Array = Buffer.from("content\n")): Promise<SignedContent> {
  const key = recipeKey(readFileSync(import.meta.path, "utf8"), Buffer.from(content).toString("base64"));
  const directory = await cached("cms", key, async (target) => {
    await Bun.write(join(target, "content"), content);
    const script = `
      new() { openssl req -x509 -nodes -days 3650 -subj "/CN=$1" -keyout $1.key -out $1.crt $2 2>/dev/null; }
      new issuer "-newkey rsa:2048"; new stranger "-newkey rsa:2048"
      new elliptic "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
      openssl req -new -nodes -newkey rsa:2048 -subj /CN=signer -keyout signer.key -out signer.csr 2>/dev/null
      openssl x509 -req -in signer.csr -CA issuer.crt -CAkey issuer.key -CAcreateserial -days 3650 -out signer.crt 2>/dev/null
      sign() { openssl cms -sign -binary -outform DER -in content -md sha256 "$@"; }
      sign -noattr -nocerts -signer signer.crt -inkey signer.key -out plain
      sign -signer signer.crt -inkey signer.key -out attributed
      sign -noattr -nocerts -signer elliptic.crt -inkey elliptic.key -out elliptic`;
    await runScript(script, [], { cwd: target });
  });
  const read = (name: string) => new Uint8Array(readFileSync(join(directory, name)));
  const text = (name: string) => readFileSync(join(directory, name), "utf8");
  return {
    ...{ plain: read("plain"), attributed: read("attributed"), elliptic: read("elliptic") },
    ...{ certificate: text("signer.crt"), ellipticCertificate: text("elliptic.crt") },
    ...{ issuer: text("issuer.crt"), stranger: text("stranger.crt") },
  };
}
