import { type FakeBootOptions, fakeBoot, INITRAMFS } from "./fake-boot.ts";
import { INTEGRITY_MODULES } from "./fake-integrity.ts";

const MODULES = "/lib/modules/6.1.0-fake";
const NAMES = Object.keys(INTEGRITY_MODULES).map((name) => `kernel/${name.replace("_", "-")}.ko`);

/** Boots an image that has the modules of dm-integrity; `text` is the console in one line. */
export function integrityBoot(options: FakeBootOptions) {
  const result = fakeBoot({
    modules: INTEGRITY_MODULES,
    ...options,
    files: {
      ...INITRAMFS,
      [`${MODULES}/modules.dep`]: NAMES.map((name) => `${name}:\n`).join(""),
      ...Object.fromEntries(NAMES.map((name) => [`${MODULES}/${name}`, "module"])),
      [`${MODULES}/modules.alias`]: "alias crypto-hmac hmac\n",
      ...options.files,
    },
  });
  return { ...result, text: result.console.replaceAll(/\s+/g, " ") };
}
