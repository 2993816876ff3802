import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { packFile } from "../../build/stage0/pack.ts";
import { convertKeymap } from "../../src/desk/image/keymap.ts";
import { scratchDirectory } from "./cache.ts";
import { run } from "./command.ts";
import { packInitramfs } from "./initramfs.ts";

/** An initramfs whose init asks for passphrases, with a German keymap. */
export async function promptGuest(): Promise<string> {
  const directory = scratchDirectory();
  const compiled = join(directory, "guest");
  const main = join(import.meta.dirname, "prompt-guest.ts");
  await run([process.execPath, "build", "--compile", main, "--outfile", compiled]);
  const [init, keymap] = [join(directory, "init"), join(directory, "keymap")];
  writeFileSync(init, packFile(compiled));
  writeFileSync(keymap, convertKeymap("de-latin1"));
  return packInitramfs({ "/init": { file: init }, "/etc/levain/keymaps/de-latin1.bmap": { file: keymap } });
}
