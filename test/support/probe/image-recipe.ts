/** How to make one image: a shell script (`set -eu`) with the image, a sparse file of `mib` MiB, as `$1` and a small tree of files as `$2`. */
export interface ImageRecipe {
  readonly name: string;
  readonly mib: number;
  readonly script: string;
  /** Script that needs a block device, with the image as `$1`: it runs first, in a guest. */
  readonly deviceScript?: string;
}

/** Makes a recipe; `script` is one line of shell for most. */
export function image(name: string, mib: number, script: string): ImageRecipe {
  return { name, mib, script };
}

/** Makes a recipe that begins on a block device; `script` may change the image afterwards. */
export function deviceImage(name: string, mib: number, deviceScript: string, script = ":"): ImageRecipe {
  return { name, mib, script, deviceScript };
}
