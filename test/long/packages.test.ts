import { expect, test } from "bun:test";
import { copyFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { cached, recipeKey, scratchDirectory } from "../support/cache.ts";
import { run } from "../support/command.ts";
import { installDebian } from "../support/debian-root.ts";
import { LEVAIN } from "../support/levain-image.ts";
import { BUSYBOX } from "../support/unpacked-programs.ts";
import { QUEUE_TIMEOUT_MS } from "../support/vm-test.ts";

// The packages, made and checked by the tools of their distributions that Debian has, in a Debian of their own.

const PACKAGES = join(import.meta.dir, "../../build/packages");
const TOOLS = "lintian,rpm,rpmlint,makepkg,pacman-package-manager,libarchive-tools,fakeroot,file";

async function toolsRoot(): Promise<string> {
  const directory = await cached("package-tools", recipeKey(TOOLS), (target) =>
    installDebian(join(target, "root"), TOOLS),
  );
  return join(directory, "root");
}

/** Runs a script as a user of that Debian, in `directory`, which is empty afterwards. Returns its stdout. */
async function runInDebian(script: string, directory: string): Promise<string> {
  const mounts = `mount -t proc proc "$1/proc"; mount --bind /dev "$1/dev"; mount --bind "$2" "$1/mnt"; chown -R nobody "$2"`;
  const inside = `${mounts}; exec chroot --userspec nobody:nogroup "$1" /usr/bin/env -C /mnt HOME=/mnt /bin/sh -euc "$3"`;
  const apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child"];
  return run([...apart, "/bin/sh", "-euc", inside, "sh", await toolsRoot(), directory, script]);
}

async function make(kind: "deb" | "tarball", levain: string): Promise<string> {
  const directory = scratchDirectory();
  await run([process.execPath, join(PACKAGES, "package.ts"), kind, levain, directory]);
  return directory;
}

/** The contents of a package that matter to a user: paths below /usr without directories, docs but once, and without a suffix of compression. */
function listContents(listing: string): string[] {
  const paths = listing.split("\n").flatMap((line) => /(?:^|[ ./])(usr\/\S*[^/\s])$/.exec(line)?.[1] ?? []);
  return paths
    .filter((path) => !/^usr\/share\/(doc|licenses|lintian)\//.test(path))
    .map((path) => path.replace(/\.gz$/, "").replace("vendor-completions", "site-functions"))
    .sort();
}

test(
  "lintian finds nothing in the Debian package that is not explained",
  async () => {
    const directory = await make("deb", LEVAIN);
    const found = await runInDebian("lintian --pedantic --display-info *.deb || true", directory);
    expect(found.split("\n").filter((line) => !/^(?:N: \d+ hints overridden)?$/.test(line))).toEqual([]);
  },
  QUEUE_TIMEOUT_MS,
);

test(
  "makepkg and rpmbuild make packages with what the Debian package has",
  async () => {
    const [deb, again] = [await make("deb", BUSYBOX), await make("deb", BUSYBOX)];
    expect(await run(["diff", "-r", deb, again])).toBe("");
    const expected = listContents(await run(["sh", "-c", 'dpkg-deb --contents "$1"/*.deb', "sh", deb]));
    expect(expected.length).toBeGreaterThan(20);
    const directory = await make("tarball", BUSYBOX);
    for (const name of ["PKGBUILD", "levain.install", "levain.spec", "levain.rpmlintrc"])
      copyFileSync(join(PACKAGES, name), join(directory, name));
    const arch = await runInDebian("makepkg --nodeps >&2; bsdtar -tf levain-*.pkg.tar*", directory);
    expect(listContents(arch)).toEqual(expected);
    const rpm = await runInDebian(
      'rpmbuild -bb --define "_sourcedir $PWD" levain.spec >&2; rpm -qpl rpmbuild/RPMS/x86_64/levain-*.rpm',
      directory,
    );
    expect(listContents(rpm)).toEqual(expected);
    const check = "rpmlint --rpmlintrc levain.rpmlintrc levain.spec rpmbuild/RPMS/x86_64/levain-*.rpm";
    expect(await runInDebian(check, directory)).toContain(" 0 errors, 0 warnings");
    expect(readdirSync(directory).join(" ")).toContain(`levain-${packageJson.version}-1-x86_64.pkg.tar`);
  },
  QUEUE_TIMEOUT_MS,
);
