import type { BlockDevice } from "../../../devices/block-devices.ts";
import type { Assembly, StorageContext, StoragePlan } from "../../contract.ts";
import { startAoe } from "./aoe.ts";
import { startNbd } from "./nbd.ts";
import { startNvme } from "./nvme.ts";
import type { Transport } from "./transport.ts";

/** Connects to the disks on servers that the plan names, and tries again until the root is found. What has appeared stays: the kernel has it, and the real system needs it. */
export function startRemote(context: StorageContext, { remote }: Pick<StoragePlan, "remote">): Assembly {
  const { machine } = context;
  const { nvme } = remote;
  const transports: readonly Transport[] = [
    ...(remote.aoe === null ? [] : [startAoe(context, remote.aoe)]),
    ...remote.nbd.map((disk) => startNbd(context, disk)),
    ...(nvme?.places.map((place) => startNvme(context, nvme, place)) ?? []),
  ];
  /** A root that is there and can be used needs no further server. */
  const isFound = (candidate: BlockDevice | null) => candidate !== null && context.state(candidate) === null;
  return {
    advance(candidate) {
      if (isFound(candidate)) return "idle";
      let hasChanged = false;
      for (const transport of transports) {
        if (machine.nowMs() >= transport.dueMs() && transport.advance()) hasChanged = true;
      }
      return hasChanged ? "changed" : "idle";
    },
    dueMs: () => Math.min(...transports.map((transport) => transport.dueMs())),
    seen: () => transports.flatMap((transport) => transport.seen() ?? []),
    problems: () => transports.flatMap((transport) => transport.problem() ?? []),
    close() {
      for (const transport of transports) transport.close?.();
    },
  };
}
