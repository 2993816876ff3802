import { join } from "node:path";
import { driversTo } from "./device-path.ts";
import type { Hints } from "./schema.ts";
import type { SystemFiles } from "./system-files.ts";

type Reached = Hints["keyboards"];

/** The bit of EV_REP (linux/input-event-codes.h): a keyboard repeats a key that is held, a power button or a lid does not. */
const EV_REP = 0x14n;

/** Returns the keyboards, without those that a program simulates. */
export function findKeyboards(files: SystemFiles): Reached {
  const names = files.list("/sys/class/input").filter((name) => {
    const events = files.text(join("/sys/class/input", name, "capabilities/ev"));
    return /^input\d+$/.test(name) && /^[0-9a-f]+$/.test(events) && ((BigInt(`0x${events}`) >> EV_REP) & 1n) === 1n;
  });
  return reach(files, "/sys/class/input", names).filter(({ drivers }) => drivers.length > 0);
}

/** Returns the buses of USB: a keyboard or a stick may be plugged into any of them. */
export function findUsb(files: SystemFiles): Reached {
  const names = files.list("/sys/bus/usb/devices").filter((name) => /^usb\d+$/.test(name));
  return reach(files, "/sys/bus/usb/devices", names);
}

/** Returns the screens: the first framebuffer, and the cards. */
export function findScreens(files: SystemFiles): Reached {
  const cards = files.list("/sys/class/drm").filter((name) => /^card\d+$/.test(name));
  return [...reach(files, "/sys/class/drm", cards), ...reach(files, "/sys/class/graphics", ["fb0"])];
}

/** Returns the network cards; of wireless ones levain uses none. */
export function findCards(files: SystemFiles): Hints["cards"] {
  const names = files.list("/sys/class/net").filter((name) => {
    const place = join("/sys/class/net", name);
    return files.real(join(place, "device")) !== null && !/^DEVTYPE=wlan$/m.test(files.text(join(place, "uevent")));
  });
  return reach(files, "/sys/class/net", names).map((card) => ({
    ...card,
    isUp: files.text(join("/sys/class/net", card.name, "operstate")) === "up",
  }));
}

const LINKS = ["vlan", "bond", "bridge"] as const;

/** Returns the kinds of interfaces that are made of others. */
export function findLinks(files: SystemFiles): Hints["links"] {
  const events = files.list("/sys/class/net").map((name) => files.text(join("/sys/class/net", name, "uevent")));
  return LINKS.filter((kind) => events.some((text) => text.split("\n").includes(`DEVTYPE=${kind}`)));
}

function reach(files: SystemFiles, place: string, names: readonly string[]): Reached {
  return names.flatMap((name) => {
    const directory = files.real(join(place, name));
    return directory === null ? [] : [{ name, drivers: driversTo(files, directory) }];
  });
}
