import { findParameters, type ParameterKey } from "../../parameters/parameters.ts";
import { splitParameter } from "../../parameters/read-parameters.ts";

/** What stage0 decides by itself when all else has crashed (build/stage0/policy.c). */
const POLICY: readonly ParameterKey[] = ["shell", "emergency", "panicSeconds"];
/** All that such a parameter looks like when it is none of the mistakes that are refused before. */
const PLAIN = /^[\w.-]+(?:=[\w+-]*)?$/;

/**
 * /etc/levain.cmdline: of the image's parameters those of the failure policy, as a kernel command line. The others stay
 * out, because some have no spelling there (a quote in a label) and would take the words behind them along.
 */
export function formatPolicyWords(parameters: readonly string[]): string {
  const words = parameters.filter(
    (text) => PLAIN.test(text) && findParameters(splitParameter(text).name).some(({ key }) => POLICY.includes(key)),
  );
  return `${words.join(" ")}\n`;
}
