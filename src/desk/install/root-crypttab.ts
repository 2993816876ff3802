import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { BootError } from "../../problems/errors.ts";
import { sentence } from "../../problems/report.ts";
import type { Voice } from "../../problems/voice.ts";
import { findHints } from "../hints/find-hints.ts";
import { hostCrypttab } from "../hints/image-hints.ts";
import { attempt, isFile } from "../host.ts";
import { lookAtAdditions } from "../image/addition.ts";
import type { ImageOptions } from "../image/options.ts";

const CRYPTTAB = "/etc/crypttab";
/** The lines of it that a boot needs. */
const OWN_CRYPTTAB = "/var/lib/levain/crypttab";

/**
 * Adds the lines of /etc/crypttab for the volumes that a boot of this machine needs, unless the options have a crypttab or are for
 * this machine anyway. Others are opened by the booted system: their keys may be on the root. Throws BootError.
 */
export function addCrypttab(options: ImageOptions, voice: Voice): ImageOptions {
  const isGiven = options.additions.some(({ destination }) => [CRYPTTAB, "/etc"].includes(destination));
  if (options.host !== null || isGiven || !isFile(CRYPTTAB)) return options;
  const lines = readCrypttab(options, voice);
  if (lines === null) return options;
  attempt(`cannot write ${OWN_CRYPTTAB}`, () => {
    mkdirSync(dirname(OWN_CRYPTTAB), { recursive: true });
    writeFileSync(OWN_CRYPTTAB, lines, { mode: 0o600 });
  });
  return { ...options, additions: [...options.additions, { source: OWN_CRYPTTAB, destination: CRYPTTAB }] };
}

function readCrypttab({ additions }: ImageOptions, voice: Voice): string | null {
  try {
    return hostCrypttab(findHints(), lookAtAdditions(additions).hasFile, voice);
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    voice.warn(
      `the image has no line of ${CRYPTTAB}: ${sentence(error)} (an encrypted root needs it: add it in levain.toml)`,
    );
    return null;
  }
}
