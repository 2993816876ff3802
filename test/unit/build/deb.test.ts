import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { scratchDirectory } from "../../support/cache.ts";
import { run } from "../../support/command.ts";
import { BUSYBOX } from "../../support/unpacked-programs.ts";

const PACKAGES = join(import.meta.dir, "../../../build/packages");
const { version } = packageJson;

/** Makes a package of any program, which stands for levain, in a new directory. */
async function makeDeb(): Promise<string> {
  return (await run([process.execPath, join(PACKAGES, "package.ts"), "deb", BUSYBOX, scratchDirectory()])).trim();
}

test("the package has the program, its documents and what lintian wants", async () => {
  const deb = await makeDeb();
  expect(deb).toEndWith(`/levain_${version}_amd64.deb`);
  const control = await run(["dpkg-deb", "--field", deb]);
  expect(control).toContain(`Package: levain\nVersion: ${version}\nArchitecture: amd64\n`);
  // initramfs-tools, which stays, conflicts with every other package that provides it.
  expect(control).not.toContain("linux-initramfs-tool");
  const tree = scratchDirectory();
  await run(["dpkg-deb", "--raw-extract", deb, tree]);
  expect(Buffer.compare(readFileSync(join(tree, "usr/bin/levain")), readFileSync(BUSYBOX))).toBe(0);
  expect(await run(["md5sum", "--check", "--strict", "DEBIAN/md5sums"], { cwd: tree })).toContain("usr/bin/levain: OK");
  const changelog = await run(["gzip", "-dc", join(tree, "usr/share/doc/levain/changelog.gz")]);
  expect(changelog).toStartWith(`levain (${version}) unstable;`);
  expect(readFileSync(join(tree, "usr/share/doc/levain/copyright"), "utf8")).toBe(
    readFileSync(join(import.meta.dir, "../../../LICENSE"), "utf8"),
  );
  expect(await run(["dpkg-deb", "--contents", deb])).toMatch(/^-rwxr-xr-x root\/root +\d+ .* \.\/usr\/bin\/levain$/m);
});

test("its scripts set levain up and take it back, and let a removal go on that leaves something", async () => {
  const calls = (name: string, status: number, ...words: readonly string[]) => {
    const levain = `levain() { echo "$*"; return ${status}; }\n${readFileSync(join(PACKAGES, name), "utf8")}`;
    return run(["sh", "-c", levain, "sh", ...words]);
  };
  expect(await calls("postinst", 0, "configure", "0.0.9")).toBe("install\n");
  expect(await calls("postinst", 0, "abort-remove")).toBe("");
  await expect(calls("postinst", 1, "configure")).rejects.toThrow();
  expect(await calls("prerm", 1, "remove")).toBe("uninstall\n");
  expect(await calls("prerm", 0, "upgrade", "0.2.0")).toBe("");
  await expect(calls("prerm", 127, "remove")).rejects.toThrow();
});
