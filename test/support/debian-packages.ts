import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory, cached, recipeKey, takeLock } from "./cache.ts";
import { run, runScript } from "./command.ts";

const ROOT = join(import.meta.dir, "../..");

/** The packages that these lists (build/packages-NAME.txt) have with this word in their second column. */
export function listedPackages(
  how: "install" | "unpack",
  ...lists: readonly ("build" | "aarch64" | "demo" | "test")[]
): string[] {
  const lines = lists.flatMap((list) => readFileSync(join(ROOT, `build/packages-${list}.txt`), "utf8").split("\n"));
  return lines.flatMap((line) => {
    const [name = "", word] = line.trim().split(/\s+/);
    return word === how && !name.startsWith("#") ? [name] : [];
  });
}

/** Releases beside that of this machine, by the suites that apt gets their packages from. */
const SUITES = {
  /** Debian 11. */
  bullseye: ["bullseye"],
  /** The development version, for what Debian 12 has only in an old version. */
  sid: ["sid"],
  /** Debian 13, whose kernel has bcachefs; its tools were never released. */
  trixie: ["trixie", "experimental"],
} as const;

/** This machine's Debian, as its own apt has it, the same for AArch64, or one of `SUITES`. */
export type Suite = "own" | "arm64" | keyof typeof SUITES;

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

const stateDirectory = (suite: Suite) => cacheDirectory(suite === "own" ? "apt" : `apt-${suite}`);

// Machines made from a container image set these to "" (/etc/apt/apt.conf.d/docker-clean): apt would read all lists at each call,
// and withApt would fetch them each time.
const CACHES = ["Dir::Cache::pkgcache=pkgcache.bin", "Dir::Cache::srcpkgcache=srcpkgcache.bin"];

// Package lists of our own: those of the machine may be missing or old, or apt may be busy with them, and they belong to root.
async function aptOptions(suite: Suite): Promise<string[]> {
  const state = stateDirectory(suite);
  for (const name of ["lists/partial", "archives/partial"]) mkdirSync(join(state, name), { recursive: true });
  const options = [`Dir::State::Lists=${state}/lists`, `Dir::Cache=${state}`, ...CACHES, "APT::Sandbox::User=root"];
  // dpkg's own architectures stay as they are.
  if (suite === "arm64") options.push("APT::Architecture=arm64");
  else if (suite !== "own") {
    const mirror = await debianMirror("bookworm");
    const sources = SUITES[suite].map((name) => `deb [signed-by=${KEYRING}] ${mirror} ${name} main\n`);
    writeFileSync(join(state, "sources.list"), sources.join(""));
    options.push(`Dir::Etc::SourceList=${state}/sources.list`, "Dir::Etc::SourceParts=/dev/null");
    // A mirror that stands still, or a release that gets no more updates: the signature is checked all the same.
    options.push("Acquire::Check-Valid-Until=false");
  }
  return ["-q", ...options.flatMap((option) => ["-o", option])];
}

/** Lets `act` use apt with these options, one at a time, with package lists that are fetched where they are missing and once more where it fails: they may be too old. */
export async function withApt<Result>(
  act: (options: readonly string[]) => Promise<Result>,
  suite: Suite = "own",
): Promise<Result> {
  const options = await aptOptions(suite);
  const release = await takeLock(join(cacheDirectory("locks"), "apt"));
  try {
    const isNew = !existsSync(join(stateDirectory(suite), "pkgcache.bin"));
    if (isNew) await run(["apt-get", ...options, "update"]);
    try {
      return await act(options);
    } catch (error) {
      if (isNew) throw error;
      await run(["apt-get", ...options, "update"]);
      return await act(options);
    }
  } finally {
    release();
  }
}

/** The mirror from which this machine's apt gets the release `codename`. */
export async function debianMirror(codename: string): Promise<string> {
  const format = "$(REPO_URI)";
  const uris = await withApt((options) =>
    run(["apt-get", ...options, "indextargets", "--format", format, "Created-By: Packages", `Codename: ${codename}`]),
  );
  const uri = uris.trim().split("\n")[0];
  if (uri === undefined || uri === "") throw new Error(`the package sources of this machine have no ${codename}`);
  return uri;
}

/** Fetches the .deb files of these packages into `directory`. */
export async function downloadPackages(
  names: readonly string[],
  directory: string,
  suite: Suite = "own",
): Promise<void> {
  await withApt((options) => run(["apt-get", ...options, "download", ...names], { cwd: directory }), suite);
}

/** Returns the packages of `names`, and those that they need, that are not installed in the system with dpkg's status file `status`. */
export async function missingPackages(
  names: readonly string[],
  status: string,
  suite: Suite = "own",
): Promise<string[]> {
  const system = ["-o", `Dir::State::status=${status}`, "--no-install-recommends", "--simulate"];
  const plan = await withApt((options) => run(["apt-get", ...options, ...system, "install", ...names]), suite);
  return [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = ""]) => name);
}

/** Returns the packages of `names`, and the libraries that they need, as if nothing were installed. */
async function withLibraries(names: readonly string[], suite: Suite): Promise<string[]> {
  const all = await missingPackages(names, "/dev/null", suite);
  return all.filter((name) => names.includes(name) || (/^(lib|zlib1g)/.test(name) && !/perl|python/.test(name)));
}

// The links of a merged /usr, which newer packages expect. Without documentation, and without the emulators of nearly all machines, which are 400 MB.
const UNPACK = `
mkdir root
for file; do
  dpkg-deb --fsys-tarfile "$file" |
    tar -xv -C root --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' --exclude='./usr/bin/qemu-[!a]*' |
    { grep -E '^\\./(usr/)?s?bin/[^/]+$' || true; } | cut -c 3- > "$file.programs"
done
for name in bin sbin lib lib64; do [ -e root/$name ] || ln -s usr/$name root/$name; done
`;

// Makes bin/: every program of the packages whose files are listed in `programs`, by its name. A dynamically linked one runs
// with the loader and the libraries of root/, so that they always belong together. Links in root/ are absolute in Debian's terms.
const MAKE_BIN = `
mkdir bin
loader=lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
follow() {
  path=$1
  while [ -L "root/$path" ]; do
    to=$(readlink "root/$path")
    case $to in /*) path=\${to#/} ;; *) path=$(dirname "$path")/$to ;; esac
  done
}
for program in $(cat programs); do
  follow "$program"
  [ -f "root/$path" ] || continue
  name=\${program##*/}
  if ! root/$loader --verify "root/$path" 2>/dev/null; then ln -sf "../root/$path" "bin/$name"; continue; fi
  cat > "bin/$name" <<END
#!/bin/sh
root=\\\${0%/*}/../root
libraries=\\$root/lib/x86_64-linux-gnu:\\$root/usr/lib/x86_64-linux-gnu:\\$root/lib:\\$root/usr/lib
exec "\\$root/$loader" --library-path "\\$libraries" --argv0 $name "\\$root/$path" "\\$@"
END
  chmod 755 "bin/$name"
done
rm programs
`;

/**
 * A directory with these packages unpacked in root/, with their libraries, and their programs in bin/. Nothing of it is
 * installed: no service starts, and what the machine has does not matter.
 */
export function unpackedPackages(names: readonly string[], suite: Suite = "own"): Promise<string> {
  return cached("unpacked", recipeKey(readFileSync(import.meta.path, "utf8"), names, suite), async (target) => {
    await downloadPackages(await withLibraries(names, suite), target, suite);
    const files = readdirSync(target).filter((name) => name.endsWith(".deb"));
    await runScript(UNPACK, files, { cwd: target });
    const own = files.filter((file) => names.includes(file.split("_")[0] ?? ""));
    await runScript(
      'cat "$@" > programs',
      own.map((file) => `${file}.programs`),
      { cwd: target },
    );
    await runScript(MAKE_BIN, [], { cwd: target });
    for (const file of files) for (const name of [file, `${file}.programs`]) rmSync(join(target, name));
  });
}
