import { formatDeviceSpec } from "../parameters/device-spec.ts";
import type { LayerPlan } from "../parameters/layer.ts";
import { printable } from "../problems/report.ts";
import { formatCrypt } from "./crypt/format-crypt.ts";
import type { BootPlan, ImagePlan } from "./plan.ts";

/** The plan in words, a line a subject, safe to print: what `levain plan` shows. */
export function formatPlan(plan: BootPlan): readonly string[] {
  const subjects: readonly (readonly [string, string])[] = [
    ...formatRoot(plan),
    ...formatCrypt(plan.crypt),
    ...(plan.keymap === null ? [] : [["keymap", plan.keymap] as const]),
    ...formatSystem(plan),
    ...formatRescue(plan),
  ];
  return subjects.map(([subject, text]) => printable(`${subject.padEnd(12)}${text}`));
}

type Subjects = readonly (readonly [string, string])[];

function formatRoot(plan: BootPlan): Subjects {
  const { root } = plan;
  if (root.kind === "none") return [["root", "this initramfs; it is the final system"]];
  const { image, overlay } = plan;
  const options = plan.rootOptions === "" ? "" : `, options ${plan.rootOptions}`;
  return [
    ["root", root.devices.map(formatDeviceSpec).join(", else ")],
    ["waiting", plan.rootTimeoutMs === null ? "for ever" : `at most ${plan.rootTimeoutMs / 1000} s for each`],
    [
      "mounted",
      `${plan.rootWritable ? "read-write" : "read-only"} as ${plan.rootTypes.join(", else ") || "the type it has"}${options}`,
    ],
    ...(plan.rootCheck === "auto" ? [] : [["fsck", plan.rootCheck] as const]),
    ["image", image === null ? "none" : formatImage(image)],
    ...plan.layers.map((layer) => ["layer", formatLayer(layer)] as const),
    ["overlay", overlay === null ? "none" : `${overlay.kind}${overlay.size === null ? "" : ` of ${overlay.size}`}`],
  ];
}

function formatImage({ iso, paths, directory, inner, copyToRam }: ImagePlan): string {
  const files =
    directory === null ? paths.join(", else ") : `all in ${directory.path}, or those in its ${directory.list}.module`;
  return [
    files,
    ...(iso === null ? [] : [`in ${iso}`]),
    ...(inner.length === 0 ? [] : [`or its ${inner.join(", else ")}`]),
    ...(copyToRam ? ["copied to memory"] : []),
  ].join(", ");
}

function formatLayer(layer: LayerPlan): string {
  return layer.kind === "image" ? layer.path : formatDeviceSpec(layer.device);
}

function formatSystem({ modules, handover }: BootPlan): Subjects {
  const parameters = Object.entries(modules.parameters).map(
    ([module, text]) => ["module", `${module} with ${text}`] as const,
  );
  const kept = handover.putOld === null ? "" : `, the old root at ${handover.putOld}`;
  return [
    ["modules", ["what the hardware asks for", ...modules.load].join(", ")],
    ...parameters,
    ...(modules.blacklist.length === 0 ? [] : [["not loaded", modules.blacklist.join(", ")] as const]),
    ["handover", `${handover.mode}${kept}`],
    ["init", [handover.init ?? "the first of the kernel's list", ...handover.arguments.map(quote)].join(" ")],
    ["environment", handover.environment.map(quote).join(" ")],
  ];
}

function formatRescue({ rescue, talk }: BootPlan): Subjects {
  const after = rescue.onFailure === "reboot" && rescue.panicSeconds !== null ? ` after ${rescue.panicSeconds} s` : "";
  const shell = { true: "", false: ", no shell ever", keep: ", a shell keeps open what a passphrase opened" }[
    `${rescue.shell}`
  ];
  const breaks = rescue.breaks.length === 0 ? [] : [["stop before", rescue.breaks.join(", ")] as const];
  const log = { kmsg: "the kernel's log", console: "the console", all: "the console and the kernel's log" }[talk.log];
  return [...breaks, ["on failure", `${rescue.onFailure}${after}${shell}`], ["talk", `${talk.level}, to ${log}`]];
}

/** A word in quotes where it would not look like one. */
function quote(word: string): string {
  return word === "" || /\s/.test(word) ? `"${word}"` : word;
}
