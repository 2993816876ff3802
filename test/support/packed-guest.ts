import { join } from "node:path";
import { gatherNativeLibraries } from "../../build/native-libraries.ts";
import { hostSite } from "../../build/site.ts";
import { packFile } from "../../build/stage0/pack.ts";
import { scratchDirectory } from "./cache.ts";
import { run } from "./command.ts";
import { debianKernel } from "./kernels.ts";

/** Compiles a program and packs it with stage0 in front, as the init of a guest. */
export async function packGuest(main: string): Promise<string> {
  const directory = scratchDirectory();
  const compiled = join(directory, "guest");
  const libraries = gatherNativeLibraries(directory, hostSite);
  await run([process.execPath, "build", "--compile", "--asset", libraries, main, "--outfile", compiled]);
  const init = join(directory, "init");
  await Bun.write(init, packFile(compiled));
  return init;
}

/** Returns the entries of an initramfs for these modules of Debian's cloud kernel, by their path below kernel/, in `directory`. */
export async function moduleEntries(directory: string, paths: readonly string[]) {
  const { modulesDir } = await debianKernel("cloud");
  return Object.fromEntries(
    paths.map((path) => [
      `${directory}/${path.split("/").at(-1)}.ko`,
      { file: join(modulesDir, "kernel", `${path}.ko`) },
    ]),
  );
}
