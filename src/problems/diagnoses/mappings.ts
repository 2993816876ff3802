import { byHand, diagnosis, inBootLoader, inBuilder, inShell } from "../diagnosis.ts";
import { moduleOption, withOption } from "../kernel-options.ts";
import { printable } from "../report.ts";

const MAPPING_REFUSALS: Readonly<Record<string, string>> = {
  EBUSY: "the name is taken, or the device below it is in use (EBUSY)",
  ENOENT: "it does not have the cipher (ENOENT)",
  ENXIO: "the device below it is gone (ENXIO)",
  EINVAL: "it rejects the table (EINVAL)",
};

/** What keeps the device mapper from making a device. */
export const MAPPINGS = {
  "no-mapping-target": diagnosis<{ module: string }>({
    text: ({ module }) => `this kernel has no ${module}`,
    hints: ({ module }) => [
      inBuilder(`add its module to the image: levain image --module ${module}`),
      ...withOption(moduleOption(module)),
    ],
  }),
  "mapping-refused": diagnosis<{
    name: string;
    errno: string;
    refusal: string;
    kernelLog: readonly string[];
  }>({
    text: ({ name }) => `the kernel refused to create /dev/mapper/${name}`,
    reasons: ({ errno, refusal, kernelLog }) => [
      MAPPING_REFUSALS[errno] ?? refusal,
      ...kernelLog.map((line) => `kernel: ${line}`),
    ],
    hints({ errno }) {
      if (errno === "EBUSY") return [inShell("see `levain devices`; `dmsetup remove` removes what is not in use")];
      if (errno !== "ENOENT") return [inShell("read the kernel's log: dmesg")];
      return [inBuilder("add the cipher's modules (/lib/modules/VERSION/kernel/crypto): levain image --module NAME")];
    },
  }),
  "mapping-name-taken": diagnosis<{ name: string; device: string }>({
    text: ({ name, device }) => `the name ${name} is taken by another device, ${device}`,
    hints: () => [
      inBootLoader("choose another name: rd.luks.name=UUID=NAME"),
      inShell("unlock it with one: `levain unlock DEVICE --name NAME`"),
    ],
  }),
  "bcache-refused": diagnosis<{ node: string; why: string }>({
    text: ({ node, why }) => `bcache on ${node} is not started: ${why}`,
    hints: () => [
      byHand("attach the disk with the cache"),
      byHand("look at it with `bcache-super-show` on another system"),
    ],
  }),
  "integrity-refused": diagnosis<{ name: string; node: string; why: string }>({
    text: ({ name, node, why }) => `${node} is not opened as /dev/mapper/${name} (dm-integrity): ${why}`,
    hints: () => [
      inBootLoader("correct rd.integrity=, or /etc/integritytab of the image"),
      inShell("read the kernel's log: dmesg"),
    ],
  }),
  "integrity-device-missing": diagnosis<{ name: string; spec: string }>({
    text: ({ name, spec }) => `device ${spec} for /dev/mapper/${name} did not appear`,
    hints: () => [byHand("attach the disk"), inBootLoader("correct rd.integrity=, or /etc/integritytab of the image")],
  }),
  "group-refused": diagnosis<{ group: string; why: string }>({
    text: ({ group, why }) => `the volume group "${group}" is not used: ${why}`,
    hints: () => [byHand("look at its physical volumes with `pvs -o+pv_uuid` and `vgs` on another system")],
  }),
  "group-absent": diagnosis<{ group: string; groups: readonly string[] }>({
    text: ({ group, groups }) =>
      groups.length === 0
        ? `no volume group "${printable(group)}" was found`
        : `there is no volume group "${printable(group)}", but ${listShort(groups)}`,
    hints: ({ groups }) => [
      byHand("attach all disks of the volume group"),
      ...(groups.length === 0 ? [] : [inBootLoader("correct the name of the volume group in root=")]),
    ],
  }),
  "group-elsewhere": diagnosis<{ nodes: readonly string[] }>({
    text: ({ nodes }) =>
      `the volume group of ${nodes.join(" and ")} is not known: no physical volume that is present has its metadata`,
    hints: () => [byHand("attach all disks of the volume group")],
  }),
  "volume-unknown": diagnosis<{ group: string; volume: string; volumes: readonly string[] }>({
    text: ({ group, volume, volumes }) =>
      `the volume group "${group}" has no volume "${printable(volume)}": it has ${listShort(volumes)}`,
    hints: () => [inBootLoader("correct the name of the logical volume")],
  }),
  "thin-pool-damaged": diagnosis<{ pool: string; program: string; status: number; said: string }>({
    text: ({ pool, program, status, said }) =>
      `the thin pool ${printable(pool)} is not activated: ${program} ended with status ${status}${said === "" ? "" : `: ${printable(said)}`}`,
    hints: () => [byHand("repair the metadata of the pool on another system: lvconvert --repair GROUP/POOL")],
  }),
  "thin-pool-unchecked": diagnosis<{ pool: string; program: string; seconds: number }>({
    text: ({ pool, program, seconds }) =>
      `the thin pool ${printable(pool)} is not activated: ${program} did not end within ${seconds} s`,
    hints: () => [
      byHand("check the disks of the pool: one may not answer"),
      byHand("check the pool on another system, and leave thin_check out of the image if it takes so long"),
    ],
  }),
  "volume-refused": diagnosis<{ volume: string; why: string }>({
    text: ({ volume, why }) => `the logical volume ${volume} is not activated: ${why}`,
    hints: () => [
      byHand("attach the missing disk, if one is missing"),
      byHand("look at the volume with `lvs -a -o+devices` on another system"),
    ],
  }),
};

/** A group may have a thousand volumes. */
const MOST_NAMED = 8;

function listShort(names: readonly string[]): string {
  const more = names.length > MOST_NAMED ? ["…"] : [];
  return [...names.slice(0, MOST_NAMED), ...more].join(", ") || "none";
}
