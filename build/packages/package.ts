import {
  chmodSync,
  copyFileSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { BootError } from "../../src/problems/errors.ts";
import { report } from "../../src/problems/report.ts";
import { readBuildTime } from "../build-time.ts";
import { listFiles, type PackagedFile, VERSION } from "./contents.ts";

/**
 * Makes dist/levain_VERSION_amd64.deb or dist/levain-VERSION-x86_64.tar.gz of dist/levain. Run it as `bun build/packages/package.ts
 * deb|tarball [LEVAIN [DIRECTORY]]`. The same levain makes the same bytes.
 */

const ROOT = join(import.meta.dirname, "../..");

// It does not provide linux-initramfs-tool, which initramfs-tools conflicts with: apt would remove one or the other, and the kernels
// with the last of them. initramfs-tools stays, and dpkg-divert moves its update-initramfs out of the way.
const CONTROL = (installedKib: number) => `Package: levain
Version: ${VERSION}
Architecture: amd64
Maintainer: The levain authors <levain@localhost>
Installed-Size: ${installedKib}
Depends: dpkg (>= 1.19.2)
Recommends: busybox-static | busybox
Suggests: systemd-boot-efi, sbsigntool
Conflicts: dracut
Section: utils
Priority: optional
Description: init for initramfs images, and the program that builds them
 levain finds and unlocks the root filesystem and hands over to its init. If
 it cannot, it says why, and starts a shell in which the boot can go on.
 .
 This package makes levain the initramfs of this system: each kernel gets an
 image, also a new one. If the package is removed, the images are again those
 of initramfs-tools.
`;

/**
 * For dpkg-deb, whose variables they are. Level 6 of xz takes 150 s of CPU time, level 0 takes 15 and 83 MB, zstd's level 10 8 s and
 * 82 MB; but lintian of Debian 12 and dpkg of Debian 11 read no zstd.
 */
const COMPRESSION = { DPKG_DEB_COMPRESSOR_TYPE: "xz", DPKG_DEB_COMPRESSOR_LEVEL: "0" };

function write(path: string, { content, isProgram = false }: Pick<PackagedFile, "content" | "isProgram">): void {
  mkdirSync(dirname(path), { recursive: true });
  if (path.endsWith(".gz")) {
    writeFileSync(path, gzipSync(typeof content === "string" ? content : readFileSync(content.file), { level: 9 }));
  } else if (typeof content === "string") writeFileSync(path, content);
  else copyFileSync(content.file, path);
  chmodSync(path, isProgram ? 0o755 : 0o644);
}

function run(argv: readonly string[], seconds: number): void {
  const { exitCode, stderr } = Bun.spawnSync([...argv], {
    env: { ...COMPRESSION, ...process.env, LC_ALL: "C", SOURCE_DATE_EPOCH: `${seconds}` },
    stdout: "ignore",
    stderr: "pipe",
  });
  if (exitCode !== 0) throw new BootError(`${argv[0]} failed`, { seen: stderr.toString().trim().split("\n") });
}

/** Times are those of the build, modes those of a umask of 022. */
function normalize(tree: string, seconds: number): void {
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    lutimesSync(path, seconds, seconds);
  }
  chmodSync(tree, 0o755);
  lutimesSync(tree, seconds, seconds);
}

function makeDeb(levain: string, tree: string, output: string, seconds: number): void {
  const paths = listFiles(levain).flatMap(({ debianPath, ...packaged }) => {
    if (debianPath === null) return [];
    write(join(tree, debianPath), packaged);
    return debianPath;
  });
  const digest = (path: string) => new Bun.CryptoHasher("md5").update(Bun.mmap(join(tree, path))).digest("hex");
  const bytes = paths.reduce((sum, path) => sum + statSync(join(tree, path)).size, 0);
  const control = (name: string) => join(tree, "DEBIAN", name);
  write(control("control"), { content: CONTROL(Math.ceil(bytes / 1024)) });
  write(control("md5sums"), { content: paths.map((path) => `${digest(path)}  ${path}\n`).join("") });
  for (const name of ["postinst", "prerm"])
    write(control(name), { content: { file: join(import.meta.dirname, name) }, isProgram: true });
  normalize(tree, seconds);
  run(["dpkg-deb", "--root-owner-group", "--build", tree, output], seconds);
}

function makeTarball(levain: string, tree: string, output: string, seconds: number): void {
  const top = `levain-${VERSION}`;
  for (const { path, ...packaged } of listFiles(levain)) if (path !== null) write(join(tree, top, path), packaged);
  normalize(tree, seconds);
  const names = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"];
  run(["tar", "-C", tree, ...names, "--use-compress-program=gzip -n", "-cf", output, top], seconds);
}

try {
  const [kind = "", levain = join(ROOT, "dist/levain"), directory = join(ROOT, "dist")] = process.argv.slice(2);
  const make = { deb: makeDeb, tarball: makeTarball }[kind];
  if (make === undefined) throw new BootError(`expected deb or tarball but received "${kind}"`);
  const name = kind === "deb" ? `levain_${VERSION}_amd64.deb` : `levain-${VERSION}-x86_64.tar.gz`;
  const output = join(directory, name);
  const tree = `${output}.tree`;
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  try {
    make(levain, tree, `${output}.new`, readBuildTime());
    renameSync(`${output}.new`, output);
    console.log(output);
  } finally {
    for (const path of [tree, `${output}.new`]) rmSync(path, { recursive: true, force: true });
  }
} catch (error) {
  console.error(report(error).join("\n"));
  process.exitCode = 1;
}
