import type { Machine } from "../machine/machine.ts";
import { textOrNone } from "../machine/small-files.ts";
import { readCasperFiles } from "../parameters/dialects/casper-files.ts";
import { parseRackFile, RACK_FILE } from "../parameters/dialects/rack-file.ts";
import type { PlanInput } from "../plan/make-plan.ts";
import type { Voice } from "../problems/voice.ts";

const MOST_CONF_BYTES = 4096;

/** Returns the parameters that other tools' files in the image stand for: Ubuntu's initramfs, if levain was grafted into one, and the file of a diskless rack. */
export function readImageParameters(machine: Machine, voice: Voice): NonNullable<PlanInput["imageParameters"]> {
  const read = (path: string) => {
    const status = machine.stat(path);
    return status?.kind === "file" && status.size <= MOST_CONF_BYTES ? textOrNone(machine, path) : null;
  };
  const ofUbuntu = machine.stat("/conf") === null ? [] : readCasperFiles(read);
  const rack = parseRackFile(read(RACK_FILE) ?? "");
  for (const mistake of rack.mistakes) voice.warn(`${RACK_FILE}: ${mistake}, ignoring it`);
  return [
    { origin: "Ubuntu's initramfs", parameters: ofUbuntu },
    { origin: RACK_FILE, parameters: rack.parameters },
  ];
}
