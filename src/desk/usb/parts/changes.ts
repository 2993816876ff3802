import { truncateSync, writeFileSync } from "node:fs";
import type { Identity } from "../identity.ts";
import type { Partition } from "../layout.ts";
import type { Workspace } from "../workspace.ts";

const PURPOSE = "make the filesystem for changes";

/** The inode tables and the journal are left to the kernel: a stick is slow to write. `place` is an option of -E, or empty. */
function extArguments(identity: Identity, place: string): readonly string[] {
  const uuid = identity.uuid("changes");
  const extended = [`hash_seed=${identity.uuid("hash")}`, "root_owner=0:0", "nodiscard", "lazy_itable_init=1"];
  const options = [...extended, "lazy_journal_init=1", place].filter((option) => option !== "").join(",");
  // Twice: this host's mounts do not matter for a file, and of a device they were checked before.
  // Small filesystems have blocks of 1024 bytes by default, less than the sectors of an encrypted volume.
  return ["-q", "-F", "-F", "-t", "ext4", "-b", "4096", "-U", uuid, "-L", "changes", "-E", options];
}

/** mke2fs reads the time from this variable (E2FSPROGS_FAKE_TIME of its own tests). */
function environment(): Readonly<Record<string, string>> {
  const epoch = process.env["SOURCE_DATE_EPOCH"];
  return epoch === undefined ? {} : { E2FSPROGS_FAKE_TIME: epoch };
}

/** Makes an empty ext4 in a file; returns its path. Throws BootError. */
export async function makeChanges(bytes: number, identity: Identity, workspace: Workspace): Promise<string> {
  const file = workspace.path("changes");
  writeFileSync(file, "");
  truncateSync(file, bytes);
  await workspace.run("mke2fs", PURPOSE, [...extArguments(identity, ""), file], { environment: environment() });
  return file;
}

/** Returns what makes an empty ext4 at its place on a disk. */
export function makeChangesInPlace({ start, bytes }: Partition, identity: Identity, workspace: Workspace) {
  return async (disk: string): Promise<void> => {
    const args = [...extArguments(identity, `offset=${start}`), disk, `${bytes / 1024}k`];
    await workspace.run("mke2fs", PURPOSE, args, { environment: environment() });
  };
}
