import { parseCompression } from "../../../../src/desk/archive/compress.ts";
import type { ImageOptions } from "../../../../src/desk/image/options.ts";

/** The options of `levain image` without an argument, but for the compression. */
export const NO_OPTIONS: ImageOptions = {
  output: null,
  root: "/",
  kernel: null,
  modulesDir: null,
  modules: [],
  host: null,
  network: false,
  modprobeDirs: null,
  busybox: null,
  init: null,
  runtime: null,
  additions: [],
  programs: [],
  keymaps: [],
  compression: parseCompression("none"),
  microcode: false,
  firmware: [],
  strip: false,
  hooks: [],
  bootHooks: [],
  parameters: [],
  machines: {},
  shellPassword: null,
  uki: null,
};
