import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");

/**
 * Returns the time of the newest commit or, for reproducible builds without git, $SOURCE_DATE_EPOCH, in seconds since 1970; 0 if
 * neither is known, because there is no git or no repository.
 */
export function readBuildTime(environment: Readonly<Record<string, string | undefined>> = process.env): number {
  const given = environment["SOURCE_DATE_EPOCH"] ?? "";
  if (/^\d+$/.test(given)) return Number(given);
  const git = Bun.which("git", { PATH: environment["PATH"] ?? "" });
  if (git === null) return 0;
  const run = Bun.spawnSync([git, "log", "-1", "--format=%ct"], { cwd: ROOT, stdout: "pipe", stderr: "ignore" });
  return run.exitCode === 0 ? Number(run.stdout.toString().trim()) : 0;
}
