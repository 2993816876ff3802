import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate authority of a test's own, for servers on 127.0.0.1. */
export interface Authority extends Disposable {
  /** PEM. */
  readonly certificate: string;
  /** Issues a certificate for the name or address `subject`, which ends `days` from now. */
  issue(subject: string, days: number): { readonly cert: string; readonly key: string };
}

/** Makes an authority with openssl. */
export function makeAuthority(): Authority {
  const directory = mkdtempSync(join(tmpdir(), "levain-ca-"));
  const at = (name: string) => join(directory, name);
  const run = (...argv: readonly string[]) => {
    const { exitCode, stderr } = Bun.spawnSync(["openssl", ...argv], { cwd: directory });
    if (exitCode !== 0) throw new Error(stderr.toString());
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  run("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "30", "-subj", "/CN=test authority");
  return {
    certificate: readFileSync(at("ca.crt"), "utf8"),
    issue(subject, days) {
      const kind = /^[\d.]+$/.test(subject) ? "IP" : "DNS";
      writeFileSync(at("ext"), `subjectAltName=${kind}:${subject}\n`);
      run("req", ...key, "-keyout", "own.key", "-out", "own.csr", "-subj", `/CN=${subject}`);
      const issuer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
      run("x509", "-req", "-in", "own.csr", ...issuer, "-days", `${days}`, "-extfile", "ext", "-out", "own.crt");
      return { cert: readFileSync(at("own.crt"), "utf8"), key: readFileSync(at("own.key"), "utf8") };
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
