// Puts the programs of the packages that tests unpack into this process's PATH, in front; every test is run with this (bunfig.toml).
import { join } from "node:path";
import { listedPackages, unpackedPackages } from "./debian-packages.ts";
import "./unpacked-programs.ts";

/** Where those of build/packages-test.txt are: root/ and bin/. */
export const TEST_PROGRAMS = await unpackedPackages(listedPackages("unpack", "test"));

process.env["PATH"] = `${join(TEST_PROGRAMS, "bin")}:${process.env["PATH"] ?? ""}`;
