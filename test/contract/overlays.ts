import { deepEqual, equal } from "node:assert/strict";
import type { Machine } from "../../src/machine/machine.ts";
import { orIfRefused } from "../../src/problems/errors.ts";
import { type ContractCase, HELLO, makeMedium, mountImage, mountTmpfs, readText, refuses } from "./case.ts";

const OVERLAY_MAGIC = 0x794c7630;

export const OVERLAY_CASES: readonly ContractCase[] = [
  {
    name: "an overlay merges its layers: the upper wins, a whiteout hides, the lower is never written",
    check(machine, directory) {
      const lower = `${directory}/lower`;
      mountTmpfs(machine, `${directory}/over`);
      for (const name of [`${lower}/etc`, `${directory}/over/upper/etc`, `${directory}/over/work`, `${directory}/root`])
        machine.makeDirectory(name);
      for (const [path, text] of [
        ["etc/name", "lower"],
        ["etc/only", "lower"],
        ["gone", ""],
      ])
        machine.writeFile(`${lower}/${path}`, text ?? "");
      machine.writeFile(`${directory}/over/upper/etc/name`, "upper");
      machine.makeNode(`${directory}/over/upper/gone`, "character", 0, 0, 0o600);
      mountOverlay(machine, directory, lower);
      deepEqual(machine.listDirectory(`${directory}/root`), ["etc"]);
      deepEqual(machine.listDirectory(`${directory}/root/etc`), ["name", "only"]);
      equal(readText(machine, `${directory}/root/etc/name`), "upper");
      machine.writeFile(`${directory}/root/etc/only`, "changed");
      machine.removeFile(`${directory}/root/etc/name`);
      equal(readText(machine, `${directory}/root/etc/only`), "changed");
      deepEqual([readText(machine, `${lower}/etc/name`), readText(machine, `${lower}/etc/only`)], ["lower", "lower"]);
      equal(machine.statFilesystem(`${directory}/root`).magic, OVERLAY_MAGIC);
    },
  },
  {
    name: "an overlay of two lower layers alone is read-only, and the first of them wins; of one alone it is refused",
    check(machine, directory) {
      for (const name of ["one", "two"]) {
        machine.makeDirectory(`${directory}/${name}`);
        for (const file of ["both", name]) machine.writeFile(`${directory}/${name}/${file}`, name);
      }
      machine.makeDirectory(`${directory}/root`);
      const mount = (options: string) =>
        machine.mount({ source: "overlay", target: `${directory}/root`, type: "overlay", flags: ["ro"], options });
      refuses("EINVAL", () => mount(`lowerdir=${directory}/one`));
      mount(`lowerdir=${directory}/two:${directory}/one`);
      deepEqual(machine.listDirectory(`${directory}/root`), ["both", "one", "two"]);
      equal(readText(machine, `${directory}/root/both`), "two");
      refuses("EROFS", () => machine.writeFile(`${directory}/root/new`, ""));
    },
  },
  {
    name: "paths in the options may be relative to a directory; options longer than a page are cut off",
    check(machine, directory) {
      for (let index = 0; index < 300; index++) machine.makeDirectory(`${directory}/long-name-of-a-layer/${index}`);
      machine.makeDirectory(`${directory}/root`);
      machine.writeFile(`${directory}/long-name-of-a-layer/299/file`, "lowest");
      const names = Array.from({ length: 300 }, (_, index) => String(index));
      const mount = (options: string, more: { readonly directory?: string } = {}) =>
        machine.mount({
          source: "overlay",
          target: `${directory}/root`,
          type: "overlay",
          flags: ["ro"],
          options,
          ...more,
        });
      const isCutOff = orIfRefused(() => {
        mount(`lowerdir=${names.map((name) => `${directory}/long-name-of-a-layer/${name}`).join(":")}`);
        const isMissing = machine.stat(`${directory}/root/file`) === null;
        machine.unmount(`${directory}/root`);
        return isMissing;
      }, true);
      equal(isCutOff, true);
      mount(`lowerdir=${names.join(":")}`, { directory: `${directory}/long-name-of-a-layer` });
      equal(readText(machine, `${directory}/root/file`), "lowest");
      refuses("ENOENT", () => mount("lowerdir=0:1", { directory: `${directory}/none` }));
      machine.unmount(`${directory}/root`);
    },
  },
  {
    name: "an overlay keeps a lower image, though that can be unmounted",
    check(machine, directory) {
      const device = machine.attachLoop({ file: makeMedium(machine, directory), readOnly: true });
      mountImage(machine, device, `${directory}/lower`);
      mountTmpfs(machine, `${directory}/over`);
      for (const name of ["over/upper", "over/work", "root"]) machine.makeDirectory(`${directory}/${name}`);
      mountOverlay(machine, directory, `${directory}/lower`);
      machine.unmount(`${directory}/lower`);
      machine.detachLoop(device);
      equal(readText(machine, `${directory}/root/hello`), HELLO);
      refuses("EBUSY", () => machine.unmount(`${directory}/medium`));
      machine.unmount(`${directory}/root`);
      machine.unmount(`${directory}/medium`);
    },
  },
  {
    name: "an overlay over its own lower directory, whose attributes its upper has, covers it and keeps them",
    check(machine, directory) {
      const covered = `${directory}/root/etc`;
      mountTmpfs(machine, `${directory}/root`);
      mountTmpfs(machine, `${directory}/over`);
      machine.makeDirectory(covered, 0o2751);
      machine.writeFile(`${covered}/name`, "lower");
      for (const name of ["upper", "work"]) machine.makeDirectory(`${directory}/over/${name}`);
      machine.copyAttributes(covered, `${directory}/over/upper`);
      equal(machine.stat(`${directory}/over/upper`)?.mode, 0o2751);
      refuses("ENOENT", () => machine.copyAttributes(`${directory}/none`, covered));
      const options = `lowerdir=${covered},upperdir=${directory}/over/upper,workdir=${directory}/over/work`;
      machine.mount({ source: "overlay", target: covered, type: "overlay", flags: ["nosuid"], options });
      equal(machine.stat(covered)?.mode, 0o2751);
      machine.writeFile(`${covered}/name`, "upper");
      equal(readText(machine, `${covered}/name`), "upper");
      machine.unmount(covered);
      equal(readText(machine, `${covered}/name`), "lower");
    },
  },
  {
    name: "an overlay is refused without its layers, with upper and work apart, and with an upper that is read-only",
    check(machine, directory) {
      mountTmpfs(machine, `${directory}/over`);
      mountTmpfs(machine, `${directory}/apart`);
      for (const name of ["lower", "over/upper", "over/work", "root"]) machine.makeDirectory(`${directory}/${name}`);
      const overlay = (code: string, options: string) => {
        const request = {
          source: "overlay",
          target: `${directory}/root`,
          type: "overlay",
          flags: [],
          options,
        } as const;
        refuses(code, () => machine.mount(request));
      };
      const [lower, upper, work] = [
        `lowerdir=${directory}/lower`,
        `upperdir=${directory}/over/upper`,
        `workdir=${directory}/over/work`,
      ];
      overlay("ENOENT", `lowerdir=${directory}/none,${upper},${work}`);
      overlay("ENOENT", `${lower},upperdir=${directory}/none,${work}`);
      overlay("EINVAL", `${upper},${work}`);
      overlay("EINVAL", `${lower},${upper}`);
      overlay("EINVAL", `${lower},${upper},workdir=${directory}/apart`);
      machine.mount({
        source: "none",
        target: `${directory}/over`,
        type: "tmpfs",
        flags: ["remount", "ro"],
        options: "",
      });
      overlay("EINVAL", `${lower},${upper},${work}`);
    },
  },
];

function mountOverlay(machine: Machine, directory: string, lower: string): void {
  const options = `lowerdir=${lower},upperdir=${directory}/over/upper,workdir=${directory}/over/work`;
  machine.mount({ source: "overlay", target: `${directory}/root`, type: "overlay", flags: [], options });
}
