import { findParameters, type ParameterKey } from "../../parameters/parameters.ts";
import { splitParameter } from "../../parameters/read-parameters.ts";

/** What stage0 needs if the boot has crashed (build/stage0/policy.c). */
const POLICY: readonly ParameterKey[] = ["shell", "emergency", "emergencySeconds", "panicSeconds"];
/** Every valid parameter of the failure policy. */
const PLAIN = /^[\w.-]+(?:=[\w+-]*)?$/;

/**
 * Returns /etc/levain.cmdline: the parameters of the failure policy, as a kernel command line. It has no others, as some cannot
 * be written there (a quote in a label) and would swallow the parameters after them.
 */
export function formatPolicyWords(parameters: readonly string[]): string {
  const words = parameters.filter((text) => PLAIN.test(text) && isOfPolicy(text));
  return `${words.join(" ")}\n`;
}

/** True for a parameter of the failure policy. */
export function isOfPolicy(text: string): boolean {
  return findParameters(splitParameter(text).name).some(({ key }) => POLICY.includes(key));
}
