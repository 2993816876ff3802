import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Authority extends Disposable {
  /** PEM. */
  readonly certificate: string;
  /** Issues a certificate for the name or address `subject`, which ends `days` from now. */
  issue(subject: string, days: number): { readonly cert: string; readonly key: string };
}

/** Older than any build of levain: a machine without a battery has its date. */
const SINCE = ["-startdate", "20200101000000Z"];

const CONFIG = `[ca]
default_ca = test
[test]
database = index
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
`;

/** A date as `openssl ca` takes it: YYYYMMDDHHMMSSZ. */
function dateIn(days: number): string {
  const date = new Date(Date.now() + days * 86_400_000);
  return `${date.toISOString().slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
}

export function makeAuthority(): Authority {
  const directory = mkdtempSync(join(tmpdir(), "levain-ca-"));
  const at = (name: string) => join(directory, name);
  const run = (...argv: readonly string[]) => {
    const { exitCode, stderr } = Bun.spawnSync(["openssl", ...argv], { cwd: directory });
    if (exitCode !== 0) throw new Error(stderr.toString());
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  writeFileSync(at("config"), CONFIG);
  writeFileSync(at("index"), "");
  writeFileSync(at("serial"), "01\n");
  const request = (name: string, subject: string) =>
    run("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${subject}`);
  const certify = (name: string, extension: string, days: number, ...more: readonly string[]) => {
    writeFileSync(at("ext"), `${extension}\n`);
    const files = ["-keyfile", "ca.key", "-in", `${name}.csr`, "-out", `${name}.crt`, "-extfile", "ext"];
    run("ca", "-batch", "-notext", "-config", "config", ...files, ...SINCE, "-enddate", dateIn(days), ...more);
  };
  request("ca", "test authority");
  certify("ca", "basicConstraints=critical,CA:TRUE", 30, "-selfsign");
  return {
    certificate: readFileSync(at("ca.crt"), "utf8"),
    issue(subject, days) {
      request("own", subject);
      certify("own", `subjectAltName=${/^[\d.]+$/.test(subject) ? "IP" : "DNS"}:${subject}`, days, "-cert", "ca.crt");
      return { cert: readFileSync(at("own.crt"), "utf8"), key: readFileSync(at("own.key"), "utf8") };
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
