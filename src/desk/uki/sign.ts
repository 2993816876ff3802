import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { isFile } from "../host.ts";
import { saveFile, withTemporary } from "../temporary.ts";
import { findTool } from "../tool.ts";
import type { SigningKey } from "./options.ts";

/** Throws BootError, before an image is built, if nothing can be signed with this key. */
export function checkSigningKey({ key, certificate }: SigningKey): void {
  for (const [what, path] of [
    ["key", key],
    ["certificate", certificate],
  ] as const) {
    if (!isFile(path))
      throw new BootError(`cannot read the ${what} ${path}`, { hint: "check the paths after --sign, KEY:CERT" });
  }
  findTool("sbsign", "sign the image");
}

/** Signs a program for EFI with sbsign(1). A key with a passphrase is asked for on the terminal. Throws BootError. */
export function signProgram(pieces: readonly Uint8Array[], { key, certificate }: SigningKey): Uint8Array {
  const program = findTool("sbsign", "sign the image");
  return withTemporary((directory) => {
    const unsigned = saveFile(join(directory, "unsigned.efi"), Buffer.concat(pieces));
    const signed = join(directory, "signed.efi");
    const argv = [program, "--key", key, "--cert", certificate, "--output", signed, unsigned];
    const { exitCode, stdout, stderr } = Bun.spawnSync(argv, { stdin: "inherit", stdout: "pipe", stderr: "pipe" });
    if (exitCode === 0 && isFile(signed)) return readFileSync(signed);
    const seen = `${stderr}${stdout}`.trim().split("\n").slice(0, 5);
    throw new BootError("sbsign could not sign the image", {
      seen,
      hint: "check that the key and the certificate belong together",
    });
  });
}
