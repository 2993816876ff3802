import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { COMMANDS, LEVAIN_OPTIONS } from "../../src/desk/all-commands.ts";
import { formatCompletion } from "../../src/desk/commands/completion.ts";
import { listManualPages } from "../man.ts";

const ROOT = join(import.meta.dirname, "../..");
const DOC = "usr/share/doc/levain";

/** A file of the packages. */
export interface PackagedFile {
  /** Where the tarball has it; null: it is for Debian alone. */
  readonly path: string | null;
  /** Where Debian has it, compressed if its name ends with .gz; null: it is for the tarball alone. */
  readonly debianPath: string | null;
  /** Its text, or the file that has it. */
  readonly content: string | { readonly file: string };
  readonly isProgram?: boolean;
}

/** The version of this levain. */
export const VERSION = packageJson.version;

const file = (path: string) => ({ file: join(ROOT, path) });

function documentation(): readonly PackagedFile[] {
  const pages = readdirSync(join(ROOT, "docs"), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return pages.map(({ parentPath, name }) => {
    const path = join(parentPath, name).slice(ROOT.length + 1);
    return { path, debianPath: `${DOC}/${path}`, content: file(path) };
  });
}

const COMPLETIONS = [
  ["bash", "bash-completion/completions/levain"],
  ["zsh", "zsh/vendor-completions/_levain"],
  ["fish", "fish/vendor_completions.d/levain.fish"],
] as const;

/** What lintian(1) finds and levain has for a reason, a comment for each. */
const OVERRIDES = readFileSync(join(import.meta.dirname, "lintian-overrides"), "utf8");

/** Returns the files of the packages but for those of the package managers themselves; `levain` is the program. */
export function listFiles(levain: string): readonly PackagedFile[] {
  return [
    { path: "levain", debianPath: "usr/bin/levain", content: { file: levain }, isProgram: true },
    { path: "LICENSE", debianPath: null, content: file("LICENSE") },
    { path: null, debianPath: `${DOC}/copyright`, content: file("LICENSE") },
    { path: null, debianPath: `${DOC}/changelog.gz`, content: file("build/packages/changelog") },
    { path: null, debianPath: "usr/share/lintian/overrides/levain", content: OVERRIDES },
    { path: "README.md", debianPath: `${DOC}/README.md`, content: file("README.md") },
    ...documentation(),
    ...listManualPages().map(({ path, source }) => ({
      path: `man/${path}`,
      debianPath: `usr/share/man/${path}.gz`,
      content: source,
    })),
    ...COMPLETIONS.map(([shell, path]) => ({
      path: `completions/levain.${shell}`,
      debianPath: `usr/share/${path}`,
      content: formatCompletion(shell, { commands: COMMANDS, own: LEVAIN_OPTIONS }),
    })),
  ];
}
