import { byHand, diagnosis, inBootLoader, inBuilder, inShell } from "../diagnosis.ts";
import { printable } from "../report.ts";
import { formatBytes } from "../size.ts";

const switchOff = () => [byHand("switch the machine off")];

/** Why no shell starts, and what the commands of the shell refuse. */
export const RESCUE = {
  "volume-not-closed": diagnosis<{ names: string; hasShell: boolean }>({
    text: ({ names, hasShell }) => `${names} cannot be closed${hasShell ? ", so no shell is started" : ""}`,
    hints: switchOff,
  }),
  "key-file-not-removed": diagnosis<{ path: string; why: string; before: "shell" | "old root" | "end" }>({
    text: ({ path, before }) =>
      `the key file ${printable(path)} cannot be removed${before === "shell" ? ", so no shell is started" : ""}`,
    reasons: ({ why }) => [why],
    hints: switchOff,
  }),
  "shell-password-unusable": diagnosis<{ isMissing: boolean }>({
    text: ({ isMissing }) =>
      `rdshell=ask: this image has no ${isMissing ? "" : "valid "}shell password, so no shell is started`,
    hints: () => [inBuilder("build the image with levain image --shell-password")],
  }),
  "no-stopped-boot": diagnosis<object>({
    text: () => "no stopped boot to continue",
    hints: () => [
      {
        text: "`levain retry` works in the rescue shell of an initramfs; `levain status` shows how the boot went",
        needs: null,
      },
    ],
  }),
  "root-is-mounted": diagnosis<{ path: string }>({
    text: ({ path }) => `something is mounted at ${path} already`,
    hints: ({ path }) => [inShell(`unmount it first: \`umount ${path}\``)],
  }),
  "root-is-no-device": diagnosis<object>({
    text: () => "the root of this boot is no block device",
    hints: () => [inShell("name one: `levain set root=LABEL=NAME`")],
  }),
  "root-not-named": diagnosis<object>({
    text: () => "no root= on the kernel command line: a shell of the initramfs starts",
    hints: () => [
      inShell("boot a root with `levain retry root=LABEL=NAME`"),
      inBootLoader("add root=LABEL=NAME in the boot loader"),
      inBootLoader("add root=/dev/ram0 there if the initramfs is the system"),
    ],
  }),
  "retry-without-root": diagnosis<object>({
    text: () => "no root to boot",
    hints: () => [inShell("name one: `levain retry root=LABEL=NAME`")],
  }),
  "init-without-restart": diagnosis<{ init: string; self: string }>({
    text: ({ init }) => `process 1, ${printable(init)}, cannot start the boot again`,
    hints: ({ self }) => [
      inBootLoader("name the root with root=LABEL=NAME in the boot loader"),
      inBuilder(`if it is BusyBox's init, add the line ::restart:${self} to /etc/inittab`),
    ],
  }),
  "unknown-parameter": diagnosis<{ parameters: readonly string[] }>({
    text: ({ parameters }) => `unknown parameter ${parameters.join(", ")}`,
    hints: () => [inShell("write it as on the kernel command line, root=LABEL=NAME (see levain help parameters)")],
  }),
  "boot-record-damaged": diagnosis<{ path: string }>({
    text: ({ path }) => `${printable(path)} is damaged, or was written by another version of levain`,
    hints: () => [inShell("read the boot messages in the kernel log: dmesg")],
  }),
  "log-ambiguous": diagnosis<{ spec: string; nodes: readonly string[] }>({
    text: ({ spec, nodes }) => `the log is not saved: ${nodes.join(" and ")} match ${spec}`,
    hints: () => [inBootLoader("name one by its UUID or PARTUUID: rd.log.save=UUID=…"), byHand("unplug the other one")],
  }),
  "log-in-use": diagnosis<{ device: string; why: string }>({
    text: ({ device, why }) => `the log is not saved to ${device}: ${why}`,
    hints: () => [
      byHand("plug in a stick with the label LEVAIN-LOG"),
      inBootLoader("name another: rd.log.save=DEVICE"),
    ],
  }),
  "log-without-room": diagnosis<{ device: string; freeBytes: number; neededBytes: number }>({
    text: ({ device, freeBytes, neededBytes }) =>
      `the log is not saved to ${device}: ${formatBytes(freeBytes)} are free, and it takes ${formatBytes(neededBytes)}`,
    hints: () => [byHand("remove files from it")],
  }),
  "log-not-written": diagnosis<{ device: string; isLate: boolean }>({
    text: ({ device, isLate }) =>
      `the log is not saved to ${device}: ${isLate ? "it does not answer any more" : "the process that writes it was killed"}`,
    hints: () => [byHand("use another stick")],
  }),
  "log-without-place": diagnosis<{ place: string | null }>({
    text: ({ place }) =>
      `no ${place === null ? "filesystem with the label LEVAIN-LOG" : `device ${place}`} to save the log to`,
    hints: () => [
      byHand("plug in a stick"),
      inShell("name its filesystem: `levain devices` lists them, `levain save-log /dev/sdb1`"),
    ],
  }),
  "log-without-record": diagnosis({
    text: () => "levain did not boot this system: there is no log to save",
    hints: () => [{ text: "read the system's own log: journalctl -b, dmesg", needs: null }],
  }),
  "slots-without-place": diagnosis<{ spec: string | null }>({
    text: ({ spec }) =>
      spec === null
        ? "this machine was not booted by EFI, and no partition keeps the count of rd.slots="
        : `no device ${spec} to keep the count of rd.slots= on`,
    hints: ({ spec }) => [
      spec === null
        ? inBootLoader("name a partition for it: rd.slots.state=PARTUUID=…")
        : inBootLoader("correct rd.slots.state="),
    ],
  }),
  "slots-ambiguous": diagnosis<{ spec: string; nodes: readonly string[] }>({
    text: ({ spec, nodes }) => `${nodes.join(" and ")} match ${spec}, and only one can keep the count of rd.slots=`,
    hints: () => [inBootLoader("name one by its PARTUUID: rd.slots.state=PARTUUID=…"), byHand("unplug the other one")],
  }),
  "slots-place-in-use": diagnosis<{ device: string }>({
    text: ({ device }) => `${device} cannot keep the count of rd.slots=: it holds something else, or is too small`,
    hints: () => [byHand("use a partition of 128 KiB or more, and fill it with zeros once")],
  }),
  "slots-not-used": diagnosis({
    text: () => "levain did not boot this system with rd.slots=",
    hints: () => [inBootLoader("name the slots: rd.slots=A:LABEL=rootA,B:LABEL=rootB")],
  }),
  "slots-not-kept": diagnosis<{ booted: string }>({
    text: ({ booted }) => `slot ${booted} was booted without a count: there is nothing to change`,
    hints: () => [{ text: "read in `levain log` why the count could not be read or written", needs: null }],
  }),
  "slot-unknown": diagnosis<{ name: string; names: readonly string[] }>({
    text: ({ name, names }) => `there is no slot ${printable(name)}: rd.slots= names ${names.join(", ")}`,
    hints: ({ names }) => [{ text: `levain slot set ${names[0] ?? "A"}`, needs: null }],
  }),
  "unlock-cancelled": diagnosis({
    text: () => "cancelled by Ctrl-C",
    hints: () => [inShell("`levain unlock` asks again")],
  }),
  "unlock-name-ambiguous": diagnosis<{ count: number }>({
    text: ({ count }) => `--name applies to one volume, but the command line names ${count}`,
    hints: () => [inShell("name the volume: levain unlock DEVICE --name NAME")],
  }),
  "unlock-device-malformed": diagnosis<{ device: string }>({
    text: ({ device }) => `${printable(device)} is not a device name`,
    hints: () => [inShell("use /dev/…, LABEL=… or UUID=…")],
  }),
  "unlock-name-malformed": diagnosis<{ name: string; why: string }>({
    text: ({ name }) => `${printable(name)} is not a valid volume name`,
    reasons: ({ why }) => [why],
    hints: () => [inShell("choose another: `levain unlock DEVICE --name NAME`")],
  }),
  "nothing-unlocked": diagnosis<{ device: string | null; missing: readonly string[] }>({
    text: ({ device }) => (device === null ? "no encrypted volume found" : `could not unlock ${printable(device)}`),
    reasons: ({ missing }) => missing,
    hints: () => [inShell("name the volume: levain unlock DEVICE")],
  }),
};
