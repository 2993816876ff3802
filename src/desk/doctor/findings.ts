import { formatBytes, formatMib } from "../../problems/size.ts";

/** "fatal": the image will not boot this machine; "doubtful": it may not; "note": something was not or need not be checked. */
export type Level = "fatal" | "doubtful" | "note";

/** A row of the table of findings. */
export interface FindingRow<Facts> {
  readonly level: Level;
  /** What is wrong, as a clause. */
  readonly text: (facts: Facts) => string;
  /** What to do about it. */
  readonly cure: (facts: Facts) => string;
}

const fatal = <Facts = object>(text: Text<Facts>, cure: Text<Facts>) => row("fatal", text, cure);
const doubtful = <Facts = object>(text: Text<Facts>, cure: Text<Facts>) => row("doubtful", text, cure);
const note = <Facts = object>(text: Text<Facts>, cure: Text<Facts>) => row("note", text, cure);

type Text<Facts> = FindingRow<Facts>["text"];

function row<Facts>(level: Level, text: Text<Facts>, cure: Text<Facts>): FindingRow<Facts> {
  return { level, text, cure };
}

type Of<Name extends string> = Readonly<Record<Name, string>>;
type Sizes<Name extends string> = Readonly<Record<Name, number>>;

const rebuild = () => "build it again: levain image";
const addModule = ({ module }: Of<"module">) => `levain image --module ${module}`;
const addDevice = "check root= in the boot loader's entry with levain devices";

/** THE table of findings, by a code that never changes. */
export const FINDINGS = {
  "image-damaged": fatal<Of<"problem">>(({ problem }) => `a kernel would not read all of it: ${problem}`, rebuild),
  "image-without-init": fatal(() => "the image has no /init", rebuild),
  "image-foreign": doubtful<Of<"maker">>(
    ({ maker }) => `its /init is not levain but that of ${maker}, which levain cannot judge`,
    () => "levain graft IMAGE makes an image with levain as its /init",
  ),
  "image-unsigned": doubtful(
    () => "this machine has Secure Boot on, and the image is not signed: firmware refuses such an image",
    () => "levain image --uki --sign KEY:CERT, with a key that the firmware knows",
  ),
  "plan-refused": fatal<Of<"problem">>(
    ({ problem }) => `the boot would stop: ${problem}`,
    () => "correct the parameter in the boot loader's entry or in levain.toml",
  ),
  "plan-warning": doubtful<Of<"warning">>(
    ({ warning }) => warning,
    () => "levain plan shows what the boot would do",
  ),
  "root-not-named": fatal(
    () => "root= is missing: the boot would end in the initramfs",
    () => "add root=UUID=… to the boot loader's entry or to levain.toml",
  ),
  "root-absent": fatal<Of<"root">>(
    ({ root }) => `no device of this machine is ${root}`,
    () => addDevice,
  ),
  "root-several": doubtful<Of<"root" | "devices">>(
    ({ root, devices }) => `${root} is ${devices}: levain would take the first that appears`,
    () => "name the root by a UUID that only one device has",
  ),
  "root-unreadable": doubtful<Of<"root">>(
    ({ root }) => `${root} could not be examined: not all devices can be read`,
    () => "run levain doctor as root",
  ),
  "root-not-checked": doubtful<Of<"root">>(
    ({ root }) => `${root} is on no disk of this machine, so it was not looked for`,
    () => "levain doctor --boot tries it",
  ),
  "kernel-unknown": doubtful(
    () => "which kernel boots the image is unknown: no boot entry and no modules say so",
    () => "name the image of a boot entry, or build it with modules",
  ),
  "kernel-absent": doubtful<Of<"release">>(
    ({ release }) => `this machine has no file of kernel ${release}, for which the image has modules`,
    ({ release }) => `install kernel ${release}, or build an image for another one: levain image --kernel VERSION`,
  ),
  "kernel-other": fatal<Of<"release" | "others">>(
    ({ release, others }) => `the entry boots kernel ${release}, but the image has modules for ${others}`,
    ({ release }) => `levain image --kernel ${release}`,
  ),
  "driver-missing": fatal<Of<"device" | "module">>(
    ({ device, module }) => `the image has no driver for ${device}: module ${module}`,
    addModule,
  ),
  "driver-other": note<Of<"device" | "module" | "others">>(
    ({ device, module, others }) => `${device} is driven by ${module} now, and would be by ${others}`,
    addModule,
  ),
  "driver-incomplete": fatal<Of<"module" | "missing">>(
    ({ module, missing }) => `the module ${module} needs ${missing}, which the image does not have`,
    rebuild,
  ),
  "driver-blacklisted": fatal<Of<"device" | "module">>(
    ({ device, module }) => `the module ${module} for ${device} is blacklisted`,
    ({ module }) => `remove it from the blacklist, or load it by its name: rd.modules=${module}`,
  ),
  "module-for-other-kernel": fatal<Of<"module" | "builtFor" | "release">>(
    ({ module, builtFor, release }) => `the module ${module} was built for ${builtFor}: kernel ${release} refuses it`,
    ({ release }) => `levain image --kernel ${release}`,
  ),
  "firmware-missing": doubtful<Of<"module" | "files">>(
    ({ module, files }) => `the image has no firmware for the module ${module}, which this machine has: ${files}`,
    addModule,
  ),
  "layer-missing": fatal<Of<"device" | "kind" | "module">>(
    ({ device, kind, module }) => `the root lies in ${device} (${kind}), and the image has no module ${module}`,
    addModule,
  ),
  "keyboards-missing": fatal<Of<"devices" | "module">>(
    ({ devices }) => `the passphrase cannot be typed: the image has no driver for ${devices}`,
    addModule,
  ),
  "keyboard-missing": note<Of<"devices" | "module">>(
    ({ devices }) => `a shell or a prompt could not be used at every keyboard: no driver for ${devices}`,
    addModule,
  ),
  "filesystem-missing": fatal<Of<"type" | "device" | "module">>(
    ({ type, device }) => `the image has no driver for ${type}, the filesystem of ${device}`,
    addModule,
  ),
  "filesystem-unknown": fatal<Of<"device" | "content">>(
    ({ device, content }) => `${device} holds no filesystem that can be mounted: ${content}`,
    () => addDevice,
  ),
  "feature-too-new": fatal<Of<"device" | "feature" | "since" | "release">>(
    ({ device, feature, since, release }) =>
      `${device} has the feature ${feature}, which Linux ${since} introduced: kernel ${release} refuses to mount it`,
    ({ since }) => `boot a kernel of version ${since} or newer`,
  ),
  "feature-unusable": doubtful<Of<"device" | "feature">>(
    ({ device, feature }) => `${device} has the feature ${feature}, with which no usual kernel mounts it`,
    () => "repair the filesystem, or remove the feature with its tools",
  ),
  "feature-unknown": doubtful<Of<"device" | "feature">>(
    ({ device, feature }) => `${device} has a feature that levain does not know: ${feature}`,
    () => "levain doctor --boot tries it",
  ),
  "crypt-not-asked": fatal<Of<"device" | "uuid">>(
    ({ device }) => `the root lies in the encrypted device ${device}, which no parameter unlocks`,
    ({ uuid }) => `add rd.luks.uuid=${uuid} to the boot loader's entry or to levain.toml`,
  ),
  "crypt-locked": fatal<Of<"device" | "problem">>(
    ({ device, problem }) => `${device} could not be unlocked: ${problem}`,
    () => "levain luks DEVICE shows its keyslots; cryptsetup luksConvertKey changes how one is derived",
  ),
  "cipher-missing": doubtful<Of<"device" | "cipher" | "module">>(
    ({ device, cipher, module }) => `${device} is encrypted with ${cipher}, and nothing in the image has ${module}`,
    addModule,
  ),
  "keymap-missing": doubtful<Of<"keymap">>(
    ({ keymap }) => `the image has no keymap ${keymap}: the passphrase is typed as on a US keyboard`,
    ({ keymap }) => `levain image --keymap ${keymap}`,
  ),
  "init-missing": fatal<Of<"problem">>(
    ({ problem }) => problem,
    () => "install an init into the root, or correct init=",
  ),
  "init-not-checked": note(
    () => "the root is not this system's, so its init was not looked at",
    () => "levain doctor --boot tries it",
  ),
  "entry-none": doubtful(
    () => "no boot loader's configuration was found",
    () => "check yourself that the boot loader loads the image",
  ),
  "entry-unreadable": doubtful(
    () => "this user may not read the boot loader's configuration",
    () => "run levain doctor as root",
  ),
  "entry-elsewhere": doubtful<Of<"image" | "entry" | "initrd">>(
    ({ entry, initrd }) => `no boot entry loads it; the default entry "${entry}" loads ${initrd}`,
    ({ image, initrd }) => `copy ${image} to ${initrd}, or add an entry to the boot loader`,
  ),
  "entry-not-default": note<Of<"entry" | "other">>(
    ({ entry, other }) => `the entry "${entry}" loads it, but the default entry is "${other}"`,
    () => "choose it in the boot loader's menu",
  ),
  "entry-kernel-missing": fatal<Of<"entry" | "path">>(
    ({ entry, path }) => `the kernel of the entry "${entry}" does not exist: ${path}`,
    () => "correct the entry, as with update-grub",
  ),
  "boot-full": doubtful<Of<"place"> & Sizes<"freeBytes" | "imageBytes">>(
    ({ place, freeBytes, imageBytes }) =>
      `${place} has ${formatBytes(freeBytes)} left, too little for a second image of ${formatBytes(imageBytes)}`,
    () => "remove old kernels",
  ),
  "trial-failed": fatal<Of<"end">>(
    ({ end }) => `in QEMU, ${end}`,
    () => "the lines of the trial say why",
  ),
  "memory-short": fatal<Sizes<"totalBytes" | "neededBytes">>(
    ({ totalBytes, neededBytes }) =>
      `this machine has ${formatMib(totalBytes)}, and the image needs ${formatMib(neededBytes)}`,
    () => "build a smaller image: levain image --host",
  ),
};
