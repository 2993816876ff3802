import { onlyTexts } from "../formats/text.ts";
import { formatDeviceSpec } from "../parameters/device-spec.ts";
import { hideOptionSecrets } from "../parameters/secrets.ts";
import { formatMemoryRoot } from "../parameters/sources/memory-root.ts";
import { formatStore, type OverlayPlan } from "../parameters/stack/overlay.ts";
import { printable } from "../problems/report.ts";
import { formatChecks } from "./checks/checks.ts";
import { formatCrypt } from "./crypt/format-crypt.ts";
import { formatNetwork } from "./network/format-network.ts";
import type { BootPlan, ImagePlan } from "./plan.ts";
import { formatRemote } from "./remote/remote.ts";
import { formatResume } from "./resume/resume.ts";
import { nameRoot } from "./root.ts";
import { formatSlots } from "./slots.ts";
import { formatPersistence } from "./stack/persistence.ts";
import { formatSubmounts } from "./stack/submounts.ts";
import { formatVerity } from "./verity/format-verity.ts";

/** Formats the plan for `levain plan`: a line a subject, safe to print. */
export function formatPlan(plan: BootPlan): readonly string[] {
  const subjects: Subjects = [
    ...formatRoot(plan),
    ...formatCrypt(plan.crypt, plan.root.kind === "block"),
    ...formatVerity(plan.verity),
    ...formatChecks(plan.checks),
    ["arrays", formatArrays(plan)],
    ["resume", formatResume(plan.resume)],
    ["LVM", formatLvm(plan)],
    ...plan.integrity.map(({ name, device }) => ["integrity", `${formatDeviceSpec(device)} as ${name}`] as const),
    ["multipath", plan.multipath.isOff ? "one path to each disk is used" : null],
    ...formatNetwork(plan.network),
    ...formatRemote(plan.remote),
    ["config", plan.config?.url ?? null],
    ["keymap", plan.keymap],
    ...formatSystem(plan),
    ...formatRescue(plan),
  ];
  return subjects.flatMap(([subject, text]) => (text ? printable(`${subject.padEnd(12)}${text}`) : []));
}

/** A subject without a text is left out. */
type Subjects = readonly (readonly [subject: string, text: string | null])[];

function formatRoot(plan: BootPlan): Subjects {
  const { root } = plan;
  if (root.kind === "none") {
    return [["root", `none${root.isAsked ? "" : ", as root= is missing"}: this initramfs is the final system`]];
  }
  const { image, overlay, rootTypes, rootOptions } = plan;
  const types = rootTypes.join(", else ") || nameType(root);
  const options = rootOptions === "" ? "" : `, options ${hideOptionSecrets(rootOptions)}`;
  return [
    ["root", nameRoot(root)],
    ["slots", formatSlots(plan.slots)],
    ["waiting", formatWait(plan)],
    ["mounted", `${plan.rootWritable ? "read-write" : "read-only"} as ${types}${options}`],
    ["fsck", plan.rootCheck === "auto" ? null : plan.rootCheck],
    ["fsck repairs", { preen: null, yes: "everything", no: "nothing" }[plan.rootRepair]],
    ["image", image === null ? "none" : formatImage(image)],
    ...plan.layers.map((one) => ["layer", one.kind === "image" ? one.path : formatDeviceSpec(one.device)] as const),
    ["overlay", overlay === null ? "none" : formatOverlay(overlay)],
    ["persistence", formatPersistence(plan.persistence)],
    ...formatSubmounts(plan),
  ];
}

function nameType(root: BootPlan["root"]): string {
  if (root.kind === "tree") return root.type;
  if (root.kind !== "nfs") return "the type in its superblock";
  const { versions, options } = root;
  return `NFS ${onlyTexts(versions.join(", else ") || null, options !== "" && `options ${options}`).join(", ")}`;
}

function formatWait({ root, rootTimeoutMs }: BootPlan): string {
  if (rootTimeoutMs === null) return "without limit";
  return `at most ${rootTimeoutMs / 1000} s${root.kind === "block" ? " for each" : ""}`;
}

function formatOverlay(overlay: OverlayPlan): string {
  const tmpfs = `tmpfs${overlay.size === null ? "" : ` of ${overlay.size}`}`;
  if (overlay.kind === "tmpfs") return tmpfs;
  const { store, policy, reset, readOnly } = overlay;
  const otherwise = { required: null, fallback: `else ${tmpfs}`, ask: `else ${tmpfs} if the user says so` }[policy];
  return onlyTexts(
    `changes on ${formatStore(store)}`,
    store.options !== "" && `options ${store.options}`,
    reset && "emptied first",
    readOnly && `only shown, below ${tmpfs}`,
    otherwise,
  ).join(", ");
}

function formatArrays({ arrays: { isOff, uuids, names } }: BootPlan): string | null {
  if (isOff) return "none is started";
  return onlyTexts(...uuids, ...names.map(({ name, uuid }) => `${uuid} is named ${name}`)).join(", ") || null;
}

function formatLvm({ lvm: { isOff, groups, volumes, isPartial } }: BootPlan): string | null {
  if (isOff) return "no volume is activated";
  return onlyTexts(...groups, ...volumes, isPartial && "RAID also without missing disks").join(", ") || null;
}

function formatImage({ iso, paths, stacked, directory, inner, copyToRam, memory }: ImagePlan): string {
  const list = directory === null || directory.list === null ? "" : `, or those in its ${directory.list}.module`;
  const named = stacked.length > 0 ? stacked.join(" + ") : paths.join(", else ");
  const files = directory === null ? named : `all in ${directory.path || "/"}${list}`;
  const unpacked = memory !== undefined && `an archive, unpacked to a ${formatMemoryRoot(memory)}`;
  const innerFiles = inner.length > 0 && `or its ${inner.join(", else ")}`;
  return onlyTexts(files, iso !== null && `in ${iso}`, innerFiles, copyToRam && "copied to memory", unpacked).join(
    ", ",
  );
}

function formatSystem({ modules, handover }: BootPlan): Subjects {
  const kept = handover.putOld === null ? "" : `, the old root stays at ${handover.putOld} (an initramfs: in memory)`;
  return [
    ["modules", ["those for the hardware", ...modules.load].join(", ")],
    ...Object.entries(modules.parameters).map(([module, text]) => ["module", `${module} with ${text}`] as const),
    ["not loaded", modules.blacklist.join(", ")],
    ["drivers", { auto: null, root: "those that find the root", all: "those of all devices" }[handover.drivers]],
    [
      "power-off",
      { auto: null, yes: "the root is taken apart", no: "the root is not taken apart" }[handover.exitProgram],
    ],
    ["command", handover.keepCommand ? "levain stays at /run/levain/bin/levain" : null],
    ["handover", `${handover.mode}${kept}`],
    ["init", handover.init ?? "the first of the kernel's list"],
    ["arguments", handover.arguments.map(quote).join(" ")],
    ["environment", handover.environment.map(quote).join(" ")],
  ];
}

function describeLogPlace(log: BootPlan["rescue"]["log"]): string {
  if (log === null) return ""; // the default, which most machines have no device for
  return log === false
    ? "not saved"
    : `saved on ${formatDeviceSpec(log.device)}${log.path === null ? "" : ` in ${log.path}`}`;
}

function formatRescue({ rescue, talk, watchdogSeconds }: BootPlan): Subjects {
  const after = rescue.onFailure === "reboot" && rescue.panicSeconds !== null ? ` after ${rescue.panicSeconds} s` : "";
  const shell = {
    true: "",
    false: ", never a shell",
    ask: ", a shell only after the password of the image",
    keep: ", volumes that a passphrase unlocked stay open in a shell",
  }[`${rescue.shell}`];
  const log = { kmsg: "the kernel log", console: "the console", all: "the console and the kernel log" }[talk.log];
  return [
    ["stop before", rescue.breaks.join(", ")],
    ["watchdog", watchdogSeconds === null ? null : `resets the machine after ${watchdogSeconds} s without progress`],
    ["on failure", `${rescue.onFailure}${after}${shell}`],
    ["log of a failure", describeLogPlace(rescue.log)],
    ["messages", `${talk.level}, to ${log}`],
  ];
}

/** Puts an argument in quotes if it is empty or contains spaces. */
function quote(word: string): string {
  return word === "" || /\s/.test(word) ? `"${word}"` : word;
}
