import { CONNECTIONS } from "../../causes/connections.ts";
import { byHand, diagnosis, inBootLoader, inBuilder } from "../../diagnosis.ts";

/** How far the connection to the subsystems of a server came. */
export type NvmeOutcome =
  | {
      readonly connected: readonly string[];
      readonly refused: readonly { nqn: string; code: string }[];
      /** How many entries the list of the server has, and how many of them were read. */
      readonly listed: number;
      readonly read: number;
    }
  | { readonly step: "reach" | "discover"; readonly code: string };

const WORDS: Readonly<Record<string, string>> = {
  ...CONNECTIONS,
  ENOENT: "this kernel has no NVMe over TCP, or its modules are not in the image",
  EBADMSG: "what the server says about it makes no sense",
  EINVAL: "the kernel refused the options",
  // A status of NVMe, of which the kernel keeps only that (nvme_tcp_create_ctrl()).
  EIO: "the server refused it, or does not speak NVMe over TCP",
};

/** Says how far it came, as a clause. `hostNqn`: what this machine calls itself. */
export function describeNvme(outcome: NvmeOutcome, hostNqn: string | null): string {
  const word = (code: string) => WORDS[code] ?? `the connection failed with ${code}`;
  if ("step" in outcome) return word(outcome.code);
  const { connected, refused } = outcome;
  if (connected.length > 0) return `connected to ${connected.join(" and ")}`;
  if (refused.length > 0) return refused.map(({ nqn, code }) => `${nqn}: ${word(code)}`).join("; ");
  return `the server has no subsystem for this machine${hostNqn === null ? "" : `, which calls itself ${hostNqn}`}`;
}

/** Says which part of the list of a server was not read, as a clause; null if all was. */
export function describeUnread(outcome: NvmeOutcome): string | null {
  if ("step" in outcome || outcome.listed <= outcome.read) return null;
  return `the server lists ${outcome.listed} subsystems, of which levain has read the first ${outcome.read}`;
}

/** NVMe over TCP. */
export const NVME_PROBLEMS = {
  "nvme-not-connected": diagnosis<{ where: string; answer: NvmeOutcome; hostNqn: string | null }>({
    text: ({ where, answer, hostNqn }) => `${where}: ${describeNvme(answer, hostNqn)}`,
    hints: ({ answer }) => {
      if ("step" in answer && answer.code === "ENOENT") {
        return [inBuilder("add the driver to the image: levain image --module nvme-tcp")];
      }
      if ("step" in answer) return [byHand("check that the server runs, its port and its firewall")];
      return [
        byHand("permit this machine on the server: allowed_hosts of the subsystem, which its port must have"),
        inBootLoader("give the name that the server permits: rd.nvmf.hostnqn=NQN"),
      ];
    },
  }),
};
