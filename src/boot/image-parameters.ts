import type { Machine } from "../machine/machine.ts";
import { textOrNone } from "../machine/small-files.ts";
import { readCasperFiles } from "../parameters/dialects/casper-files.ts";
import { INTEGRITYTAB, parseIntegritytab } from "../parameters/dialects/integritytab.ts";
import { MDADM_FILES, parseMdadmConf } from "../parameters/dialects/mdadm-conf.ts";
import { parseRackFile, RACK_FILE } from "../parameters/dialects/rack-file.ts";
import type { PlanInput } from "../plan/plan-input.ts";
import { formatBytes } from "../problems/size.ts";
import type { Voice } from "../problems/voice.ts";

/** More than any of these files has; mdadm.conf has a line for each array. */
const MOST_CONF_BYTES = 64 << 10;

/** Returns the parameters that other tools' files in the image stand for: Ubuntu's initramfs, if levain was grafted into one, the arrays of mdadm.conf, the volumes of integritytab, and the file of a diskless rack. */
export function readImageParameters(machine: Machine, voice: Voice): NonNullable<PlanInput["imageParameters"]> {
  const read = (path: string) => {
    const status = machine.stat(path);
    if (status?.kind !== "file") return null;
    if (status.size <= MOST_CONF_BYTES) return textOrNone(machine, path);
    voice.warn(`${path}: ignoring the file, which is larger than ${formatBytes(MOST_CONF_BYTES)}`);
    return null;
  };
  const ofUbuntu = machine.stat("/conf") === null ? [] : readCasperFiles(read);
  const rack = parseRackFile(read(RACK_FILE) ?? "");
  for (const mistake of rack.mistakes) voice.warn(`${RACK_FILE}: ${mistake}, ignoring it`);
  const path = MDADM_FILES.find((one) => machine.stat(one) !== null);
  const arrays = parseMdadmConf(path === undefined ? "" : (read(path) ?? ""));
  for (const line of arrays.ignored) voice.warn(`${path}: ignoring ${line}`);
  const integrity = parseIntegritytab(read(INTEGRITYTAB) ?? "");
  for (const line of integrity.ignored) voice.warn(`${INTEGRITYTAB}: ignoring ${line}`);
  return [
    { origin: "Ubuntu's initramfs", parameters: ofUbuntu },
    { origin: "mdadm.conf", parameters: arrays.parameters },
    { origin: INTEGRITYTAB, parameters: integrity.parameters },
    { origin: RACK_FILE, parameters: rack.parameters },
  ];
}
