import { alias, isOverlayDevice, single, toggle } from "../parameter.ts";
import { overlay, STORE_POLICIES } from "../stack/overlay.ts";
import * as values from "../values.ts";

/** The writable layer over the root. */
export const OVERLAY = {
  overlay: single(overlay, {
    syntax: "rd.overlay[=tmpfs[:size=SIZE]|DEVICE[:PATH]]",
    aliases: [
      "overlaytmpfs[=yes|no]",
      alias("rd.live.overlay=DEVICE[:PATH|auto]", liveOverlay),
      // "state" is for the real init, and "no" does not mean that an image has no overlay.
      alias("systemd.volatile=overlay", (value) => (value === "overlay" ? "tmpfs" : undefined)),
      alias("overlayroot=tmpfs|device:dev=DEVICE|crypt:dev=DEVICE", overlayroot),
    ],
    bare: "tmpfs",
    fallback: "a tmpfs over an image (rd.image=, root=live:), no overlay over a device",
    text: "Put a writable layer over the read-only root. tmpfs: changes are lost at shutdown; the size is the default of tmpfs (half of the memory), or bytes with K, M or G, or a percentage. DEVICE (as in root=): changes stay on its filesystem, in the directory PATH, in the image file PATH, or without PATH at its top; levain creates a missing directory, but formats nothing. auto: PATH as dracut names it, overlay-LABEL-UUID of the medium in rd.live.dir=. If the changes cannot go there, see rd.overlay.policy=. rd.overlay=0: no overlay.",
    example: "root=LABEL=ROOT rd.overlay=LABEL=DATA:/changes",
  }),
  overlayPolicy: single(values.oneOf(...STORE_POLICIES), {
    syntax: "rd.overlay.policy=required|fallback|ask",
    fallback: "required",
    text: "What to do if the device of rd.overlay= is missing, or changes cannot be written there. required: the boot fails, and the report says why; fallback: warn, and use a tmpfs; ask: ask at the console.",
    example: "root=LABEL=ROOT rd.overlay=LABEL=DATA rd.overlay.policy=fallback",
  }),
  overlayReset: toggle({
    syntax: "rd.overlay.reset[=yes|no]",
    aliases: ["rd.live.overlay.reset[=yes|no]"],
    text: "Remove all changes on the device of rd.overlay= before the boot uses it. levain removes only what overlayfs has written, never other files of the device. As long as the parameter is there, every boot starts again.",
    example: "root=LABEL=ROOT rd.overlay=LABEL=DATA rd.overlay.reset",
  }),
  overlayReadOnly: toggle({
    syntax: "rd.overlay.readonly[=yes|no]",
    aliases: ["rd.live.overlay.readonly[=yes|no]"],
    text: "Show the changes on the device of rd.overlay=, but write to a tmpfs: this boot writes nothing to the device.",
    example: "root=LABEL=ROOT rd.overlay=LABEL=DATA rd.overlay.readonly",
  }),
  overlaySize: single(values.size, {
    syntax: "rd.overlay.size=SIZE",
    aliases: [
      "cow_spacesize=SIZE",
      "overlay-size=SIZE",
      // The other options of a tmpfs do not matter to a boot.
      alias("overlaytmpfsflags=size=SIZE", (value) => /(?:^|,)size=([^,]*)/.exec(value ?? "")?.[1]),
      alias("rd.live.overlay.size=MIB", (value) => (value !== null && /^\d+$/.test(value) ? `${value}M` : value)),
    ],
    fallback: "the default of tmpfs",
    text: "The size of the tmpfs overlay if rd.overlay= does not give one. It does not enable the overlay.",
    example: "root=LABEL=ROOT rd.overlay rd.overlay.size=64M",
  }),
  overlayfs: toggle({
    syntax: "rd.live.overlay.overlayfs[=yes|no]",
    text: "dracut: put an overlay over the root, a tmpfs if no device is named.",
    example: "root=LABEL=ROOT rd.live.overlay.overlayfs=1",
  }),
  cowDevice: single(values.device, {
    syntax: "cow_device=DEVICE",
    aliases: [alias("cow_label=LABEL", (value) => (value === null ? value : `LABEL=${value}`))],
    fallback: "a tmpfs",
    text: "Arch Linux: the device for the changes, as rd.overlay=DEVICE:PATH with the PATH of cow_directory=.",
    example: "archisolabel=ARCH_202511 cow_label=PERSIST",
  }),
  cowDirectory: single(values.directoryPath, {
    syntax: "cow_directory=PATH",
    fallback: "persistent_LABEL/MACHINE, with the label of archisolabel=",
    text: "Arch Linux: the directory for the changes on cow_device=.",
    example: "archisolabel=ARCH_202511 cow_label=PERSIST cow_directory=arch",
  }),
  cowFlags: single(values.mountOptions, {
    syntax: "cow_flags=OPTIONS",
    text: "Arch Linux: mount options for cow_device=.",
    example: "archisolabel=ARCH_202511 cow_label=PERSIST cow_flags=noatime",
  }),
};

/** dracut's form: "none", "off" and "auto" are not devices, yes and no keep their meaning, and a device without a path means "auto". */
function liveOverlay(value: string | null): string {
  if (value === null || !isOverlayDevice(value)) {
    return value === null || /^(?:none|off|auto|)$/.test(value) ? "tmpfs" : value;
  }
  return /:(?:\/|auto$|[^:/]+$)/.test(value.replace(/^\/dev\/disk\/by-path\//, "")) ? value : `${value}:auto`;
}

/** The options of overlayroot.conf(5): tmpfs:…, device:dev=…,dir=…, crypt:dev=…,mapname=…, or a device alone. */
function overlayroot(value: string | null): string | undefined {
  const [, kind = "", options = ""] = /^([a-z]+)(?::(.*))?$/.exec(value ?? "") ?? [];
  if (kind === "" || kind === "disabled") return /^(?:\/dev\/|[A-Z]+=)/.test(value ?? "") ? (value ?? "") : undefined;
  if (kind === "tmpfs") return "tmpfs";
  const option = (name: string) => new RegExp(`(?:^|,)${name}=([^,]*)`).exec(options)?.[1];
  const device = devicePath(option("dev") ?? "");
  const volume = `/dev/mapper/${option("mapname") ?? OVERLAYROOT_VOLUME}`;
  return `${kind === "crypt" ? volume : device}:${option("dir") ?? "/overlay"}`;
}

/** mapname= of overlayroot.conf where it is not given. */
export const OVERLAYROOT_VOLUME = "secure";

/** overlayroot accepts a name without /dev. */
function devicePath(text: string): string {
  return /^(?:\/dev\/|[A-Z]+=)/.test(text) || text === "" ? text : `/dev/${text}`;
}

/** The volume of overlayroot=crypt:, as Debian's cryptopts= names one. */
export function overlayrootVolume(value: string | null): string | undefined {
  const options = /^crypt:(.*)$/.exec(value ?? "")?.[1];
  if (options === undefined) return undefined;
  const option = (name: string) => new RegExp(`(?:^|,)${name}=([^,]*)`).exec(options)?.[1];
  return `target=${option("mapname") ?? OVERLAYROOT_VOLUME},source=${devicePath(option("dev") ?? "")},luks`;
}
