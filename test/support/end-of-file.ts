// Run with every test file (bunfig.toml). The runner does not run a process's "exit" handlers, and one process runs many files: the
// disks of all tests together would take 20 GB.
import { afterAll } from "bun:test";
import { removeScratch } from "./cache.ts";

afterAll(removeScratch);
