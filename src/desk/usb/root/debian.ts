import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { secretBytes, wipe } from "../../../crypto/secret.ts";
import { BootError } from "../../../problems/errors.ts";
import type { Voice } from "../../../problems/voice.ts";
import { OWN_ARCHITECTURE } from "../../qemu/machines.ts";
import { haveTool } from "../../tool.ts";
import type { RootChoice } from "../options.ts";
import type { Workspace } from "../workspace.ts";

/** A Debian to install. */
export interface DebianRequest extends Extract<RootChoice, { kind: "debian" }> {
  /** Names the system. */
  readonly label: string;
  /** null: root stays locked. The caller wipes it. */
  readonly rootPassword: Uint8Array | null;
}

const KERNEL = OWN_ARCHITECTURE === "aarch64" ? "linux-image-arm64" : "linux-image-amd64";

/** Throws BootError unless this process may install a Debian. */
export function requireRootForDebian(suite: string): void {
  if (process.geteuid?.() === 0) return;
  throw new BootError(`cannot install Debian ${suite}: this needs root`, { hint: "run it with sudo" });
}

/** Installs a Debian with a kernel into the workspace; returns its directory. Throws BootError. */
export async function installDebian(request: DebianRequest, workspace: Workspace, voice: Voice): Promise<string> {
  const { suite, label, rootPassword } = request;
  const directory = workspace.path("debian");
  mkdirSync(directory, { mode: 0o755 });
  const packages = [KERNEL, ...request.packages].join(",");
  const mirror = request.mirror === null ? [] : [request.mirror];
  const tool = haveTool("mmdebstrap") === null ? "debootstrap" : "mmdebstrap";
  const watch = (printed: string) => {
    const last =
      printed
        .trimEnd()
        .split(/[\r\n]+/)
        .at(-1) ?? "";
    voice.progress(`installing Debian ${suite}: ${last.replace(/[^ -~]/g, "").slice(0, 60)}`);
  };
  const args = [`--include=${packages}`, suite, directory, ...mirror];
  // The hook of initramfs-tools makes no image then: it would take minutes, and a stick boots another one.
  const environment = { INITRD: "No" };
  await workspace.run(tool, `install Debian ${suite}`, args, { watch, isApart: true, environment });
  writeFileSync(join(directory, "etc/hostname"), `${label.toLowerCase().replaceAll("_", "-")}\n`);
  // debootstrap copies the first from this host; the second is for one machine, and systemd fills an empty file (machine-id(5)).
  rmSync(join(directory, "etc/resolv.conf"), { force: true });
  writeFileSync(join(directory, "etc/machine-id"), "");
  if (rootPassword !== null) await setRootPassword(directory, rootPassword, workspace);
  return directory;
}

/** debootstrap locks root's password. The new system hashes the password as it is set up to. */
async function setRootPassword(directory: string, password: Uint8Array, workspace: Workspace): Promise<void> {
  const user = new TextEncoder().encode("root:");
  const stdin = secretBytes(user.length + password.length);
  stdin.set(user);
  stdin.set(password, user.length);
  try {
    await workspace.run("chroot", "set the password of root", [directory, "chpasswd"], { stdin, isApart: true });
  } finally {
    wipe(stdin);
  }
}
