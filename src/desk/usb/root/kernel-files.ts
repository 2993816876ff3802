import { release } from "node:os";
import { BootError } from "../../../problems/errors.ts";
import { printable } from "../../../problems/report.ts";
import { isDirectory, isFile } from "../../host.ts";
import { chooseKernel, type KernelChoice } from "../../modules/kernel.ts";
import { inSource, type RootSource } from "./source.ts";

/** What the user says about the kernel of a stick; null: what the root has. */
export interface KernelRequest {
  readonly kernel: string | null;
  readonly modulesDir: string | null;
  readonly vmlinuz: string | null;
}

/** Where distributions have the kernel of a version: Debian and Fedora, Fedora and Arch beside the modules, and Arch. */
const PLACES = ["boot/vmlinuz-VERSION", "lib/modules/VERSION/vmlinuz", "usr/lib/modules/VERSION/vmlinuz"];

/** Returns the kernel that a stick boots, and its modules; null modules with --kernel none. Throws BootError. */
export function findKernel(
  source: Pick<RootSource, "directory">,
  request: KernelRequest,
): { readonly file: string; readonly modules: KernelChoice | null } {
  const own = ["lib/modules", "usr/lib/modules"].map((path) => inSource(source, path));
  const modules = chooseKernel(request, own.find(isDirectory) ?? own[0], source.directory === "/" ? release() : "");
  const places =
    modules === null ? [] : PLACES.map((path) => inSource(source, path.replace("VERSION", modules.version)));
  const file = request.vmlinuz ?? places.find(isFile) ?? null;
  if (file !== null && isFile(file)) return { file, modules };
  throw new BootError(
    file === null
      ? `the root has no kernel${modules === null ? "" : ` ${modules.version}`}`
      : `no kernel ${printable(file)}`,
    {
      seen: places.map((place) => `${printable(place)}: no such file`),
      hint: "name the kernel with --vmlinuz FILE",
    },
  );
}
