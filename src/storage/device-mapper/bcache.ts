import type { Machine } from "../../machine/machine.ts";
import { listOrNone } from "../../machine/small-files.ts";
import { orIfRefused, tolerateRefusal } from "../../problems/errors.ts";
import { listBelow } from "./mapping.ts";

const directoryOf = (device: string) => `/sys/class/block/${device}/bcache`;

/** Lists the devices that bcache makes, by the kernel's names. */
export function listBcaches(machine: Machine): readonly string[] {
  return listOrNone(machine, "/sys/class/block").filter((name) => /^bcache\d+$/.test(name));
}

/** Returns the kernel's name of what bcache makes of a backing device; null if it is not started. */
export function findBcacheOn(machine: Machine, backing: string): string | null {
  return orIfRefused(
    () =>
      machine
        .readLink(`${directoryOf(backing)}/dev`)
        .split("/")
        .at(-1) ?? null,
    null,
  );
}

/** True if the kernel uses the device as a part of bcache. */
export function isRegistered(machine: Machine, device: string): boolean {
  return machine.stat(directoryOf(device)) !== null;
}

/** True if the kernel has a cache set of this UUID, to which it attaches each backing device that names it. */
export function hasCacheSet(machine: Machine, set: string): boolean {
  return machine.stat(`/sys/fs/bcache/${set}`) !== null;
}

/** Lists the devices that bcache makes with a cache of the set. */
export function listBcachesOf(machine: Machine, set: string): readonly string[] {
  const isOf = (device: string) =>
    orIfRefused(() => machine.readLink(`${directoryOf(device)}/set`), "")
      .split("/")
      .at(-1) === set;
  return listBcaches(machine).filter((name) => listBelow(machine, name).some(isOf));
}

/** How long the kernel may take to end what it still writes. */
const STOP_MS = 5000;
const TURN_MS = 20;

/**
 * Stops a device of bcache, and the cache set below it unless another device uses that: with the set, the kernel stops all of them. It
 * releases the disks a moment after it was asked to.
 */
export function stopBcache(machine: Machine, name: string): void {
  const others = listBcaches(machine).filter((other) => other !== name);
  const shared = others.flatMap((other) => listBelow(machine, other));
  const below = listBelow(machine, name).filter((device) => !shared.includes(device));
  const caches = below.filter((device) => machine.stat(`${directoryOf(device)}/set`) !== null);
  machine.writeFile(`${directoryOf(name)}/stop`, "1");
  for (const cache of caches) tolerateRefusal(() => machine.writeFile(`${directoryOf(cache)}/set/stop`, "1"));
  const deadlineMs = machine.nowMs() + STOP_MS;
  while (below.some((device) => isRegistered(machine, device)) && machine.nowMs() < deadlineMs)
    machine.sleepMs(TURN_MS);
}

/** Has the kernel release a device of which it made nothing: registered, it keeps an encrypted volume below it open. */
export function releaseMember(machine: Machine, device: string): void {
  if (!isRegistered(machine, device)) return;
  const stop = machine.stat(`${directoryOf(device)}/set`) === null ? "stop" : "set/stop";
  tolerateRefusal(() => machine.writeFile(`${directoryOf(device)}/${stop}`, "1"));
}
