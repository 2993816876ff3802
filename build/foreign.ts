import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../src/problems/errors.ts";
import { cachePath } from "./cache.ts";

const LOCK_FILE = join(import.meta.dirname, "../package-lock.json");
/** glibc, the libraries that native-libraries.ts names, and the decompressors of the pager. */
const PACKAGES = ["libc6", "libgcc-s1", "libargon2-1", "librhash0", "libzstd-dev", "liblz4-dev"];

/** A kind of machine: its name, Debian's name for it, and the npm package with its Bun. */
interface Kind {
  readonly name: string;
  readonly debian: string;
  readonly bun: string;
}

/** What a program for another machine is made of: Bun for it, and a tree with the libraries of Debian's packages for it. */
export interface ForeignParts {
  readonly runtime: string;
  readonly root: string;
}

/**
 * Fetches the parts for `target` into the cache: Bun from npm, with the digest of package-lock.json, and Debian's packages by apt, from
 * this machine's sources but with lists of its own; dpkg's architectures stay as they are. Throws BootError.
 */
export function fetchForeignParts(target: Kind): ForeignParts {
  const { version, integrity } = readLock(target.bun);
  const key = createHash("sha256")
    .update(JSON.stringify([integrity, PACKAGES]))
    .digest("hex");
  const directory = cachePath("foreign", `${target.name}-${key.slice(0, 16)}`);
  if (!existsSync(directory)) {
    // Another build may do the same at the same time: whichever ends first counts.
    const unfinished = `${directory}.${process.pid}`;
    mkdirSync(unfinished, { recursive: true });
    try {
      fetchRuntime(`${target.bun}@${version}`, integrity, unfinished);
      fetchPackages(target.debian, unfinished);
      if (!existsSync(directory)) renameSync(unfinished, directory);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  }
  return { runtime: join(directory, "package/bin/bun"), root: join(directory, "root") };
}

function readLock(name: string): { readonly version: string; readonly integrity: string } {
  const { packages } = JSON.parse(readFileSync(LOCK_FILE, "utf8"));
  const { version, integrity } = packages[`node_modules/${name}`] ?? {};
  if (typeof version !== "string" || typeof integrity !== "string")
    throw new BootError(`package-lock.json does not name ${name}`);
  return { version, integrity };
}

function fetchRuntime(name: string, integrity: string, directory: string): void {
  run(["npm", "pack", "--silent", name], directory);
  const archive = readdirSync(directory).find((file) => file.endsWith(".tgz")) ?? "";
  const [algorithm = "", digest] = integrity.split("-");
  const seen = createHash(algorithm)
    .update(readFileSync(join(directory, archive)))
    .digest("base64");
  if (seen !== digest) {
    throw new BootError(`${name} is not the package that package-lock.json names`, {
      seen: [`its ${algorithm}: ${seen}`, `the lock file's: ${digest}`],
    });
  }
  run(["tar", "-xzf", archive, "package/bin/bun"], directory);
  rmSync(join(directory, archive));
}

function fetchPackages(architecture: string, directory: string): void {
  for (const name of ["lists/partial", "archives/partial", "debs"])
    mkdirSync(join(directory, name), { recursive: true });
  const settings = [
    ...[`Dir::State::Lists=${directory}/lists`, `Dir::Cache=${directory}`],
    // Machines made from a container image have none, and apt would read all lists at each call.
    ...["Dir::Cache::pkgcache=pkgcache.bin", "Dir::Cache::srcpkgcache=srcpkgcache.bin"],
    ...[`APT::Architecture=${architecture}`, "APT::Sandbox::User=root"],
  ];
  const apt = ["apt-get", "-q", ...settings.flatMap((setting) => ["-o", setting])];
  run([...apt, "update"], directory);
  const debs = join(directory, "debs");
  run([...apt, "download", ...PACKAGES], debs);
  for (const file of readdirSync(debs)) run(["dpkg-deb", "-x", file, join(directory, "root")], debs);
  for (const name of ["lists", "archives", "debs", "pkgcache.bin", "srcpkgcache.bin"])
    rmSync(join(directory, name), { recursive: true, force: true });
}

function run(command: string[], cwd: string): void {
  const child = Bun.spawnSync(command, { cwd, stdout: "pipe", stderr: "pipe" });
  if (child.exitCode === 0) return;
  throw new BootError(`${command[0]} ${command.at(-1)} failed`, { seen: child.stderr.toString().trim().split("\n") });
}
