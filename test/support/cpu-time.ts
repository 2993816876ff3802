/** Milliseconds of CPU that this process has used: what measures how long something takes, however busy the host is. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
