import type { Word } from "../parameters/cmdline.ts";
import { obeyGenkernel } from "../parameters/dialects/genkernel.ts";
import type { Inherited } from "../parameters/inherited.ts";
import { type Source, splitParameter } from "../parameters/read-parameters.ts";
import { spellOutTags } from "../parameters/sources/root-source.ts";
import type { Origin } from "../problems/diagnoses/boot.ts";
import type { Manifest } from "./manifest.ts";
import type { ChooseSlot } from "./slots.ts";

/** The input of a plan. */
export interface PlanInput {
  /** /proc/cmdline. */
  readonly cmdline: Uint8Array | string;
  /** null in an image without /etc/levain.json. */
  readonly manifest: Manifest | null;
  /** What the kernel passed to process 1; left out (outside the initramfs), it is derived from the command line. */
  readonly inherited?: Inherited | null;
  /** The parameters of `levain retry`, which override the command line. */
  readonly added?: readonly string[];
  /** As in `uname -m`; "x86_64" by default. */
  readonly machine?: string;
  /** Returns the PARTUUID of the EFI system partition that the machine booted from, or null; called only if it matters. */
  readonly findEsp?: () => string | null;
  /** Decides which slot of rd.slots= is booted; called only for the whole plan of a boot. The first by default. */
  readonly chooseSlot?: ChooseSlot;
  /** Parameters that another tool's files in the image stand for, the weakest of all; none by default. */
  readonly imageParameters?: readonly { readonly origin: Origin; readonly parameters: readonly string[] }[];
  /** Those of the tables of levain.toml that are for this machine; none by default. */
  readonly machineParameters?: readonly string[];
  /** Those of the configuration that rd.config= names; not known by default. */
  readonly fetchedParameters?: readonly string[];
  /** The root path that DHCP gave; null by default. */
  readonly rootPath?: string | null;
  /** The image's /etc/crypttab; null by default. */
  readonly crypttab?: string | null;
  /** True if the image has a file at this path; never by default. */
  readonly hasFile?: (path: string) => boolean;
  /** True if other parameters will join these: what they may complete is no mistake. False by default. */
  readonly isPart?: boolean;
}

/** Returns the parameters by their sources, those of a later one with precedence; `commandLine` are those of `cmdline`. */
export function listSources(input: PlanInput, commandLine: readonly Word[]): readonly Source[] {
  const { manifest, machineParameters, fetchedParameters, added, imageParameters = [] } = input;
  const source = (origin: Origin, parameters: readonly string[] = []) => ({
    origin,
    words: parameters.map(splitParameter),
  });
  return obeyGenkernel(
    spellOutTags([
      ...imageParameters.map(({ origin, parameters }) => source(origin, parameters)),
      source("levain.toml", manifest?.parameters),
      source("levain.toml for this machine", machineParameters),
      source("the configuration of rd.config=", fetchedParameters),
      { origin: "the kernel command line", words: commandLine },
      source("levain retry", added),
    ]),
  );
}
