import { deepEqual, equal } from "node:assert/strict";
import { type ContractCase, mountTmpfs, readText, refuses } from "./case.ts";

export const TREE_CASES: readonly ContractCase[] = [
  {
    name: "removeTree removes what a directory holds, and of a symbolic link the link",
    check(machine, directory) {
      machine.makeDirectory(`${directory}/kept`);
      machine.writeFile(`${directory}/kept/file`, "");
      machine.makeDirectory(`${directory}/gone/a/b`);
      machine.writeFile(`${directory}/gone/a/file`, "");
      machine.makeSymlink("../kept", `${directory}/gone/link`);
      machine.makeSymlink("kept", `${directory}/link`);
      machine.removeTree(`${directory}/gone`);
      machine.removeTree(`${directory}/link`);
      deepEqual(machine.listDirectory(directory), ["kept"]);
      deepEqual(machine.listDirectory(`${directory}/kept`), ["file"]);
      refuses("ENOENT", () => machine.removeTree(`${directory}/none`));
    },
  },
  {
    name: "rename replaces a file and an empty directory, and leaves its mount never",
    check(machine, directory) {
      for (const name of ["full/file", "empty", "tree/below"]) machine.makeDirectory(`${directory}/${name}`);
      for (const name of ["old", "new"]) machine.writeFile(`${directory}/${name}`, name);
      machine.rename(`${directory}/new`, `${directory}/old`);
      equal(readText(machine, `${directory}/old`), "new");
      machine.rename(`${directory}/tree`, `${directory}/empty`);
      deepEqual(machine.listDirectory(`${directory}/empty`), ["below"]);
      deepEqual(machine.listDirectory(directory), ["empty", "full", "old"]);
      refuses("ENOENT", () => machine.rename(`${directory}/none`, `${directory}/other`));
      refuses("ENOTEMPTY", () => machine.rename(`${directory}/empty`, `${directory}/full`));
      refuses("ENOTDIR", () => machine.rename(`${directory}/empty`, `${directory}/old`));
      refuses("EISDIR", () => machine.rename(`${directory}/old`, `${directory}/full`));
      mountTmpfs(machine, `${directory}/mount`);
      refuses("EXDEV", () => machine.rename(`${directory}/old`, `${directory}/mount/old`));
      machine.syncFilesystem(directory);
      refuses("ENOENT", () => machine.syncFilesystem(`${directory}/none`));
    },
  },
];
