import { expect, test } from "bun:test";
import { mountDeviceBriefly, type PendingMount } from "../../../src/filesystems/brief-mount.ts";
import type { MountLook, MountRequest } from "../../../src/machine/mounts.ts";
import { SyscallError } from "../../../src/problems/errors.ts";
import { fakeMachine } from "../../support/fake-machine.ts";

/** Looks at an NTFS on a kernel with these drivers; returns what was loaded and mounted, and what the look said. */
function look(known: readonly string[], use: (directory: string) => string = () => "seen") {
  const loaded: string[] = [];
  const mounted: string[] = [];
  const mount = ({ type, options, target }: MountRequest) => {
    if (!known.includes(type)) throw new SyscallError("mount", "ENODEV", target);
    mounted.push(`${type} ${options}`.trim());
  };
  const unmount = () => mounted.push("let go");
  const machine = Object.assign(fakeMachine({ mounted: { "/proc": "proc" } }), { mount, unmount });
  const drivers = { loadFilesystem: (type: string) => void loaded.push(type) };
  const say = () => {
    try {
      return mountDeviceBriefly({ machine, drivers }, { node: "/dev/sda", type: "ntfs" }, use);
    } catch (error) {
      return error instanceof SyscallError ? error.code : "?";
    }
  };
  return { said: say(), loaded, mounted };
}

test("a device is mounted with the driver that the kernel has, and unmounted", () => {
  expect(look(["ntfs3"])).toEqual({ said: "seen", loaded: ["ntfs3"], mounted: ["ntfs3", "let go"] });
  expect(look(["ntfs"])).toEqual({ said: "seen", loaded: ["ntfs3", "ntfs"], mounted: ["ntfs", "let go"] });
  expect(look([])).toEqual({ said: "ENODEV", loaded: ["ntfs3", "ntfs"], mounted: [] });
});

test("an error of the look itself does not try another driver", () => {
  const broken = () => {
    throw new SyscallError("read", "ENODEV", "/run/levain/search/x");
  };
  expect(look(["ntfs3", "ntfs"], broken)).toEqual({
    said: "ENODEV",
    loaded: ["ntfs3"],
    mounted: ["ntfs3", "let go"],
  });
});

test("of a file that is opened, only what is asked for is read: a crafted filesystem may have a sparse file of any size", () => {
  const machine = fakeMachine({ mounted: { "/proc": "proc" }, files: { "/run/levain/search/key": "secret" } });
  const looks: MountLook[] = [];
  const apart = {
    mount: ({ target }: MountRequest) => target,
    touch: (_path: string, look: MountLook) => void looks.push(look),
    close: () => undefined,
  };
  const context = { machine: { ...machine, mountApart: () => apart }, drivers: { loadFilesystem: () => undefined } };
  const bytes = mountDeviceBriefly(context, { node: "/dev/sda", type: "vfat" }, (directory, files) => {
    const reader = files.openReader(`${directory}/key`);
    expect(reader.size).toBe(6);
    return reader.read(2, 3);
  });
  expect(new TextDecoder().decode(bytes)).toBe("cre");
  expect(looks).toEqual([]);
});

test("a disk that hangs is opened for the first look only, however often the search goes on with it", () => {
  const machine = fakeMachine({
    mounted: { "/proc": "proc", "/dev": "devtmpfs" },
    disks: [{ name: "sda", answersAfterMs: 1e9 }],
  });
  const opened: string[] = [];
  const openAsyncReader: typeof machine.openAsyncReader = (path, options) => {
    opened.push(path);
    return machine.openAsyncReader(path, options);
  };
  const apart = {
    mount({ target }: MountRequest): string {
      throw new SyscallError("mount", "ETIMEDOUT", target);
    },
    touch: () => undefined,
    close: () => undefined,
  };
  const context = {
    machine: { ...machine, openAsyncReader, mountApart: () => apart },
    drivers: { loadFilesystem: () => undefined },
  };
  const pending: PendingMount = { apart: null, release: () => undefined };
  for (const timeoutMs of [1000, 0, 0, 0]) {
    const look = () =>
      mountDeviceBriefly(context, { node: "/dev/sda", type: "ext4", timeoutMs, pending }, () => "seen");
    expect(look).toThrow("ETIMEDOUT");
  }
  expect(opened).toEqual(["/dev/sda"]);
});
