import {
  chmodSync,
  copyFileSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { BootError } from "../../src/problems/errors.ts";
import { report } from "../../src/problems/report.ts";
import { readBuildTime } from "../build-time.ts";
import { debianFiles, documentation, type PackagedFile, VERSION } from "./contents.ts";

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

function write(tree: string, { path, content, mode }: PackagedFile): void {
  const target = join(tree, path);
  mkdirSync(dirname(target), { recursive: true });
  if (typeof content === "string" || content instanceof Uint8Array) writeFileSync(target, content);
  else copyFileSync(content.file, target);
  chmodSync(target, mode);
}

function run(argv: readonly string[], seconds: number): void {
  const { exitCode, stderr } = Bun.spawnSync([...argv], {
    env: { ...process.env, LC_ALL: "C", SOURCE_DATE_EPOCH: `${seconds}` },
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
  const files = debianFiles(levain);
  for (const file of files) write(tree, file);
  const digest = (path: string) => new Bun.CryptoHasher("md5").update(readFile(join(tree, path))).digest("hex");
  const sums = files.map(({ path }) => `${digest(path)}  ${path}\n`).join("");
  const bytes = files.reduce((sum, { path }) => sum + statSync(join(tree, path)).size, 0);
  const script = (name: string) => ({
    path: `DEBIAN/${name}`,
    content: { file: join(ROOT, "build/packages", name) },
    mode: 0o755,
  });
  const control = { path: "DEBIAN/control", content: CONTROL(Math.ceil(bytes / 1024)), mode: 0o644 };
  for (const file of [
    control,
    { path: "DEBIAN/md5sums", content: sums, mode: 0o644 },
    script("postinst"),
    script("prerm"),
  ])
    write(tree, file);
  normalize(tree, seconds);
  // dpkg of Debian 12 and Ubuntu 18.04 read zstd; the program is compressed well by it, and quickly unpacked.
  run(["dpkg-deb", "--root-owner-group", "-Zzstd", "-z9", "--build", tree, output], seconds);
}

function readFile(path: string): Uint8Array {
  return new Uint8Array(Bun.mmap(path));
}

function makeTarball(levain: string, tree: string, output: string, seconds: number): void {
  const top = `levain-${VERSION}`;
  write(tree, { path: `${top}/levain`, content: { file: levain }, mode: 0o755 });
  for (const name of ["LICENSE", "README.md"])
    write(tree, { path: `${top}/${name}`, content: { file: join(ROOT, name) }, mode: 0o644 });
  for (const file of documentation(`${top}/docs`)) write(tree, file);
  normalize(tree, seconds);
  const names = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"];
  run(["tar", "-C", tree, ...names, "--use-compress-program=gzip -9n", "-cf", output, top], seconds);
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
