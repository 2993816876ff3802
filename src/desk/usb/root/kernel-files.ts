import { release } from "node:os";
import type { Machine } from "../../../machine/machine.ts";
import { BootError } from "../../../problems/errors.ts";
import { printable } from "../../../problems/report.ts";
import { isDirectory } from "../../host.ts";
import { readableFile } from "../../kernels/from-file.ts";
import { findKernelFile, kernelPlaces, readArchitecture } from "../../kernels/kernel-file.ts";
import { chooseKernel, type KernelChoice } from "../../modules/kernel.ts";
import { OWN_ARCHITECTURE } from "../../qemu/machines.ts";
import { inSource, type RootSource } from "./source.ts";

/** What the user says about the kernel of a stick; null: what the root has. */
export interface KernelRequest {
  readonly kernel: string | null;
  readonly modulesDir: string | null;
  readonly vmlinuz: string | null;
}

/** Returns the kernel that a stick boots, and its modules; null modules with --kernel none. Throws BootError. */
export function findKernel(
  machine: Machine,
  source: Pick<RootSource, "directory">,
  request: KernelRequest,
): { readonly file: string; readonly modules: KernelChoice | null } {
  const trees = ["lib/modules", "usr/lib/modules"].map((path) => inSource(source, path));
  const modules = chooseKernel(request, trees.filter(isDirectory), source.directory === "/" ? release() : "");
  const version = modules?.version ?? null;
  const file = request.vmlinuz ?? (version === null ? null : findKernelFile(machine, version, source.directory));
  if (file !== null) {
    refuseForeignKernel(machine, file);
    return { file: readableFile(machine, file), modules };
  }
  const places = version === null ? [] : kernelPlaces(version, source.directory);
  throw new BootError(`the root has no kernel${version === null ? "" : ` ${version}`}`, {
    seen: places.map((place) => `${printable(place)}: no such file`),
    hint: "name the kernel with --vmlinuz FILE",
  });
}

/** The boot loaders of a stick are those of this host. Throws BootError for a kernel that they cannot start. */
function refuseForeignKernel(machine: Machine, file: string): void {
  const architecture = readArchitecture(machine, file);
  if (architecture === null || architecture === OWN_ARCHITECTURE) return;
  throw new BootError(
    `the kernel ${printable(file)} is for ${architecture}, and the boot loaders of the stick for ${OWN_ARCHITECTURE}`,
    {
      hint: `make the stick on a machine of ${architecture}`,
    },
  );
}
