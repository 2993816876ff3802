import { expect, test } from "bun:test";
import { mountDeviceBriefly } from "../../../src/filesystems/brief-mount.ts";
import type { MountRequest } from "../../../src/machine/machine.ts";
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
