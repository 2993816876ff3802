// Puts the programs that `make demo` unpacks into this process's PATH, in front.
import { join } from "node:path";
import { listedPackages, unpackedPackages } from "./debian-packages.ts";
import { GUEST } from "./guest-architecture.ts";

/** Where the unpacked programs of build/packages-demo.txt are: root/ and bin/. */
export const BUILD_PROGRAMS = await unpackedPackages(listedPackages("unpack", "demo"));

process.env["PATH"] = `${join(BUILD_PROGRAMS, "bin")}:${process.env["PATH"] ?? ""}`;

/** Debian's static BusyBox (package busybox-static). */
export const BUSYBOX = join(BUILD_PROGRAMS, "root/bin/busybox");

/** The same for the guests' architecture. */
export const GUEST_BUSYBOX =
  GUEST.suite === "own" ? BUSYBOX : join(await unpackedPackages(["busybox-static"], GUEST.suite), "root/bin/busybox");

/** depmod(8) (package kmod). */
export const DEPMOD = join(BUILD_PROGRAMS, "bin/depmod");
