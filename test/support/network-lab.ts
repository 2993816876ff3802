import { join } from "node:path";
import type { NetworkUp } from "../../src/network/up.ts";
import { run } from "./command.ts";
import { compileStatic } from "./packed-program.ts";
import { TEST_PROGRAMS } from "./test-programs.ts";

/** How the network came up, or did not. */
export interface LabResult {
  readonly network: NetworkUp | null;
  /** What was said meanwhile. */
  readonly said: readonly string[];
  readonly tookMs: number;
  readonly report: readonly string[];
  /** What ip(8) shows after that. */
  readonly after: string;
}

/** A network in namespaces of its own: the card v0, and behind its cable a host with v1 and the programs of `server`. */
export interface Lab {
  /** Options of dnsmasq behind the cable; without them there is no server. */
  readonly dnsmasq?: readonly string[];
  /** Shell commands before the boot, in the namespace of the card. */
  readonly before?: string;
  /** Parameters of the kernel command line. */
  readonly parameters?: string;
  /** How many frames of a hundred the cable loses; none by default. */
  readonly lossPercent?: number;
  /** A shell command instead of levain. */
  readonly command?: string;
}

/** In the namespace of the card: what was said so far. */
export const SAID_FILE = "/run/said";

const MAC = "52:54:00:12:34:56";

/** The namespaces end with the command, and all that runs in them. */
const SCRIPT = `
exec unshare --map-root-user --net --mount --pid --fork --kill-child sh -euc '
  mount -t proc proc /proc
  mount -t tmpfs none /run
  ip netns add server
  if [ "$LOSS" = 0 ]; then ip link add v0 address ${MAC} type veth peer name v1 netns server
  else
    "$CABLE" "$LOSS" &
    until ip link show v1 >/dev/null 2>&1; do sleep 0.02; done
    ip link set v0 address ${MAC}
    ip link set v1 netns server
  fi
  ip -n server link set v1 up
  ip -n server link set lo up
  ip -n server address add 192.0.2.1/24 dev v1
  ip -n server -6 address add 2001:db8::1/64 dev v1 nodad
  if [ -n "$DNSMASQ" ]; then
    ip netns exec server "$DNSMASQ" --conf-file=/dev/null --no-daemon --user=root --port=0 --interface=v1 --bind-interfaces \\
      --leasefile-ro --dhcp-authoritative --no-ping --log-facility=/run/log --pid-file= "$@" >/run/out 2>&1 &
    # Until it listens.
    until grep -q "DHCP\\|IPv6" /run/log 2>/dev/null; do sleep 0.02; done
  fi
  eval "$BEFORE"
  eval "$COMMAND"
  ip -o address show up
  ip route; ip -6 route
' sh "$@"
`;

const LEVAIN = '"$BUN" "$CHILD" $PARAMETERS';

/** Runs a command in a network of its own, by default levain; returns what it prints, and then what ip(8) shows. */
export async function runInLab({
  dnsmasq,
  before = "",
  parameters = "",
  command = LEVAIN,
  ...lab
}: Lab): Promise<string> {
  const { lossPercent = 0 } = lab;
  return await run(["sh", "-c", SCRIPT, "sh", ...(dnsmasq ?? [])], {
    environment: {
      DNSMASQ: dnsmasq === undefined ? "" : join(TEST_PROGRAMS, "bin/dnsmasq"),
      BUN: process.execPath,
      CHILD: join(import.meta.dir, "network-child.ts"),
      LOSS: `${lossPercent}`,
      CABLE: lossPercent === 0 ? "" : await compileStatic("lossy-cable.c"),
      BEFORE: before,
      PARAMETERS: parameters,
      SAID: SAID_FILE,
      COMMAND: command,
    },
  });
}

/** Brings a network up with the real machine. */
export async function runLab(lab: Lab): Promise<LabResult> {
  const text = await runInLab(lab);
  const [line = "", ...after] = text.split("\n");
  return { ...(JSON.parse(line) as Omit<LabResult, "after">), after: after.join("\n") };
}
