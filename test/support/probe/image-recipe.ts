/** How to make one image: a shell script (`set -eu`) with the image, a sparse file of `mib` MiB, as `$1` and a small tree of files as `$2`. */
export interface ImageRecipe {
  readonly name: string;
  readonly mib: number;
  readonly script: string;
}

/** A recipe; `script` is one line of shell for most. */
export function image(name: string, mib: number, script: string): ImageRecipe {
  return { name, mib, script };
}
