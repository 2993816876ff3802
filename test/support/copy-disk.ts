/** Copies a disk's file and leaves its holes: the runtime's own copies fill them, and the disks of all tests would take 20 GB. */
export function copyDisk(from: string, to: string): void {
  const { success, stderr } = Bun.spawnSync(["cp", "--sparse=always", from, to]);
  if (!success) throw new Error(stderr.toString().trimEnd());
}
