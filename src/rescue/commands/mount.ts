import { planMachine } from "../../boot/plan-reader.ts";
import type { Context } from "../../drivers/context.ts";
import { createLoader } from "../../drivers/loader.ts";
import { mountDevice } from "../../filesystems/mount.ts";
import { isMounted } from "../../filesystems/mounts.ts";
import type { Machine } from "../../machine/machine.ts";
import { rootDevices } from "../../plan/root.ts";
import { tolerateRefusal } from "../../problems/errors.ts";
import { problem } from "../../problems/problem.ts";
import type { Voice } from "../../problems/voice.ts";
import { ROOT } from "../../stack/root-stack.ts";
import { attachDevice, describeAttached } from "../../storage/attach.ts";
import { readKept } from "../shell.ts";

/**
 * Does `levain mount`: finds the root device as the boot does, and mounts it at /sysroot so that nothing is written to it. Returns what to
 * print. Throws BootError.
 */
export function mountRootDevice(machine: Machine, voice: Voice): readonly string[] {
  if (isMounted(machine, ROOT)) throw problem("root-is-mounted", { path: ROOT });
  const { plan } = planMachine(machine, { ...voice, warn: () => undefined }, { added: readKept(machine) });
  const roots = rootDevices(plan.root);
  if (roots.length === 0) throw problem("root-is-no-device", {});
  const takeBacks: (() => void)[] = [];
  const drivers = createLoader(machine, plan.modules, voice);
  const context: Context = { machine, drivers, voice, undo: (takeBack) => void takeBacks.push(takeBack) };
  try {
    const verity = plan.verity.root === null ? [] : [plan.verity.root];
    const attached = attachDevice(context, { ...plan, roots, verity });
    const { rootTypes: types, rootOptions: options } = plan;
    const order = { device: attached.device, target: ROOT, types, options, access: "untouched", role: "root" } as const;
    const type = mountDevice(context, order);
    return [
      `${describeAttached(attached)} is mounted at ${ROOT} as ${type}, read-only`,
      `to boot, unmount it first: \`umount ${ROOT}; exit\``,
    ];
  } catch (error) {
    for (const takeBack of takeBacks.reverse()) tolerateRefusal(takeBack);
    throw error;
  }
}
