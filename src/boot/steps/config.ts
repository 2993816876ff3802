import type { Context } from "../../drivers/context.ts";
import { setClock } from "../../network/fetch/clock.ts";
import { downloadFile } from "../../network/fetch/download.ts";
import { requireSignature } from "../../network/fetch/signature.ts";
import type { NetworkUp } from "../../network/up.ts";
import type { ConfigPlan } from "../../plan/downloads/plan.ts";
import { fillUrl, parseFetched } from "../../plan/machines/fetched.ts";
import type { MachineIdentity } from "../../plan/machines/match.ts";
import type { BootPlan } from "../../plan/plan.ts";
import { readIdentity } from "../machine-identity.ts";

const DIRECTORY = "/run/levain/config";
const MOST_BYTES = 256 << 10;
/** An Ed25519 key, as `openssl pkey -pubout` writes it: if the image has one, a configuration needs a signature. */
const KEY = "/etc/levain/config.pub";

/** Downloads the configuration of this machine, and returns the parameters in it. Throws BootError. */
export function fetchConfig(
  { machine, voice }: Context,
  plan: Pick<BootPlan, "rootTimeoutMs"> & { readonly config: ConfigPlan },
  network: NetworkUp,
): readonly string[] {
  const identity = withNetwork(readIdentity(machine), network);
  const url = fillUrl(plan.config.url, identity);
  const isSigned = machine.stat(KEY) !== null;
  if (!isSigned && !url.startsWith("https:")) {
    voice.warn("nothing protects the configuration from changes in transit: use https:// or a signature");
  }
  const timeServers = setClock(machine, voice) ? network.timeServers : [];
  const read = (address: string, name: string) => {
    const path = `${DIRECTORY}/${name}`;
    machine.makeDirectory(DIRECTORY);
    const { rootTimeoutMs: patienceMs } = plan;
    const { proxy } = plan.config;
    const order = { urls: [address], path, limitBytes: MOST_BYTES, patienceMs, proxy, digest: null, timeServers };
    downloadFile({ machine, voice }, order, name);
    return machine.readFile(path);
  };
  const bytes = read(url, "levain.toml");
  if (isSigned) requireSignature(machine, { url, key: KEY }, bytes, read(`${url}.sig`, "levain.toml.sig"));
  return parseFetched(new TextDecoder().decode(bytes), url, { identity, timeOfDayMs: machine.timeOfDayMs() });
}

/** The interface that the configuration comes from is first, and its lease may name the machine. */
function withNetwork(identity: MachineIdentity, { interfaces, hostname }: NetworkUp): MachineIdentity {
  const macs = [...interfaces.map(({ mac }) => mac), ...identity.macs];
  return { ...identity, macs: [...new Set(macs)], hostname: hostname ?? identity.hostname };
}
