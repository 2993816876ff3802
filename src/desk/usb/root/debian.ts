import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BootError } from "../../../problems/errors.ts";
import type { Voice } from "../../../problems/voice.ts";
import { haveTool } from "../../tool.ts";
import type { RootChoice } from "../options.ts";
import type { Workspace } from "../workspace.ts";

type DebianChoice = Extract<RootChoice, { kind: "debian" }>;

const KERNEL = "linux-image-amd64";

/** Installs a Debian with a kernel into the workspace; returns its directory. Needs root. Throws BootError. */
export async function installDebian(
  choice: DebianChoice,
  label: string,
  workspace: Workspace,
  voice: Voice,
): Promise<string> {
  const what = `install Debian ${choice.suite}`;
  if (process.geteuid?.() !== 0) throw new BootError(`cannot ${what}: this needs root`, { hint: "run it with sudo" });
  const directory = workspace.path("debian");
  mkdirSync(directory, { mode: 0o755 });
  const packages = [KERNEL, ...choice.packages].join(",");
  const mirror = choice.mirror === null ? [] : [choice.mirror];
  const tool = haveTool("mmdebstrap") === null ? "debootstrap" : "mmdebstrap";
  const watch = (printed: string) => {
    const last =
      printed
        .trimEnd()
        .split(/[\r\n]+/)
        .at(-1) ?? "";
    voice.progress(`installing Debian ${choice.suite}: ${last.replace(/[^ -~]/g, "").slice(0, 60)}`);
  };
  await workspace.run(tool, what, [`--include=${packages}`, choice.suite, directory, ...mirror], {
    watch,
    isApart: true,
  });
  writeFileSync(join(directory, "etc/hostname"), `${label.toLowerCase().replaceAll("_", "-")}\n`);
  removeRootPassword(join(directory, "etc/shadow"));
  return directory;
}

/** debootstrap locks root's password, so no login would work. The consoles accept an empty password; the SSH server refuses it. */
function removeRootPassword(shadow: string): void {
  const text = readFileSync(shadow, "utf8");
  writeFileSync(shadow, text.replace(/^root:[^:]*:/m, "root::"));
}
