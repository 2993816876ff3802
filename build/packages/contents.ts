import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import packageJson from "../../package.json" with { type: "json" };

const ROOT = join(import.meta.dirname, "../..");
const DOC = "usr/share/doc/levain";

/** A file of a package: its path, and its content or the file that has it. */
export interface PackagedFile {
  readonly path: string;
  readonly content: Uint8Array | string | { readonly file: string };
  readonly mode: number;
}

/** The version of this levain. */
export const VERSION = packageJson.version;

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const compressed = (text: string | Uint8Array) => gzipSync(text, { level: 9 });

/** Returns the files of docs/, in `directory`. */
export function documentation(directory: string): readonly PackagedFile[] {
  const pages = readdirSync(join(ROOT, "docs"), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return pages.map(({ parentPath, name }) => {
    const file = join(parentPath, name);
    return { path: join(directory, file.slice(join(ROOT, "docs").length + 1)), content: { file }, mode: 0o644 };
  });
}

/** Returns the manual pages NAME.SECTION of `directory`, as Debian has them; none if there is no such directory. */
function manualPages(directory: string): readonly PackagedFile[] {
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => /\.[1-8]$/.test(name)) : [];
  return names.map((name) => ({
    path: `usr/share/man/man${name.at(-1)}/${name}.gz`,
    content: compressed(readFileSync(join(directory, name))),
    mode: 0o644,
  }));
}

/** What lintian(1) finds and levain has for a reason, a comment for each. */
function overrides(hasManual: boolean): string {
  const rows = [
    [
      "one static file is the point: it is also the /init of initramfs images, which have no libraries",
      "statically-linked-binary",
    ],
    [
      "the runtime is linked by its own project; it is appended to, so strip would cut the program off",
      "unstripped-binary-or-object",
    ],
    [
      "the package is built by make deb, not by a maintainer of Debian",
      "bogus-mail-host",
      "maintainer-address-malformed",
    ],
    ["the package is not part of Debian, so there is no bug report to close", "initial-upload-closes-no-bugs"],
    ...(hasManual ? [] : [["levain help COMMAND and the pages below doc/ explain it", "no-manual-page"]]),
  ];
  return rows.map(([reason, ...tags]) => `# ${reason}\n${tags.map((tag) => `levain: ${tag}\n`).join("")}`).join("");
}

/** Returns the files of the Debian package but for those of dpkg itself; `levain` is the program. */
export function debianFiles(levain: string): readonly PackagedFile[] {
  const manual = manualPages(join(ROOT, "dist/man"));
  return [
    { path: "usr/bin/levain", content: { file: levain }, mode: 0o755 },
    { path: `${DOC}/copyright`, content: read("LICENSE"), mode: 0o644 },
    { path: `${DOC}/changelog.gz`, content: compressed(read("build/packages/changelog")), mode: 0o644 },
    { path: `${DOC}/README.md`, content: read("README.md"), mode: 0o644 },
    ...documentation(`${DOC}/docs`),
    ...manual,
    { path: "usr/share/lintian/overrides/levain", content: overrides(manual.length > 0), mode: 0o644 },
  ];
}
