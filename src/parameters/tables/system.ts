import { alias, flagOrYes, hasWord, isShellTarget, list, single, toggle } from "../parameter.ts";
import { logPlace } from "../stack/log-place.ts";
import * as values from "../values.ts";

/** Modules, and the real init. */
export const SYSTEM = {
  modules: list(values.names, {
    syntax: "rd.modules=NAME[,NAME…]",
    aliases: [
      "rd.driver.pre",
      "rd.driver.post",
      "modules",
      "earlymodules",
      "modules_load",
      "rd.modules_load",
      "doload",
    ].map((name) => `${name}=NAME[,NAME…]`),
    fallback: "only the modules for the hardware",
    text: "Kernel modules to load before the others. A missing module causes a warning. Module parameters are given as MODULE.PARAMETER=VALUE.",
    example: "rd.modules=usb-storage",
  }),
  blacklist: list(values.names, {
    syntax: "module_blacklist=NAME[,NAME…]",
    aliases: ["rd.driver.blacklist", "modprobe.blacklist", "blacklist", "noload"].map((name) => `${name}=NAME[,NAME…]`),
    text: "Kernel modules that are never loaded.",
    example: "module_blacklist=pcspkr",
  }),
  drivers: single(values.oneOf("root", "all"), {
    syntax: "rd.drivers=root|all",
    fallback:
      "root if the new root has a udev, which loads the others; else all, if its /etc/fstab names another disk or init= is given; else all but those of disk controllers",
    text: "Which drivers are loaded before the new root takes over. root: those that it takes to find the root. all: those of all devices, and the boot waits until they have looked for disks. While a passphrase is asked for, and for a rescue shell, all drivers are loaded in any case: the keyboard may need one.",
    example: "root=LABEL=ROOT rd.drivers=all",
  }),
  init: single(values.absolutePath, {
    syntax: "init=PATH",
    aliases: ["real_init=PATH"],
    fallback: "the first of /sbin/init /etc/init /bin/init /bin/sh that can be executed",
    text: "The program of the new root that becomes process 1. Its arguments are the parameters without a value that neither the kernel nor levain knows, and everything after --; unknown NAME=value parameters become its environment, as with the kernel.",
    example: "root=LABEL=ROOT init=/bin/sh",
  }),
  initArguments: list(values.argumentList, {
    syntax: "init_args=WORDS",
    text: 'More arguments for init, before those after --; several in quotes: init_args="-a -b".',
    example: 'init_args="-a -b"',
  }),
  handover: single(values.oneOf("auto", "switch_root", "pivot_root", "stay"), {
    syntax: "rd.handover=auto|switch_root|pivot_root|stay",
    fallback: "auto: switch_root from an initramfs, pivot_root from a classic initrd; stay without root=",
    text: "How the new root becomes /. stay: the initramfs is the final system, and root= is not used.",
    example: "root=LABEL=ROOT rd.handover=switch_root",
  }),
  exitProgram: toggle({
    syntax: "rd.exitrd[=yes|no]",
    fallback:
      "yes if the root lies in a loop device, an encrypted volume or a RAID array, or keeps its changes in an overlay on a disk",
    text: "Leave a program of a few KiB at /run/initramfs/shutdown, which takes the root apart at power-off: it unmounts everything, detaches loop devices and closes volumes, so that the medium is clean. systemd executes it automatically; any other init may execute it as its last action, with the argument poweroff, reboot, halt or kexec.",
    example: "root=LABEL=ROOT rd.exitrd",
  }),
  keepCommand: toggle({
    syntax: "rd.command[=yes|no]",
    fallback: "no: nothing of levain stays in memory",
    text: "Keep the command levain at /run/levain/bin/levain, for levain sync and levain factory-reset in a system in which it is not installed. It takes as much memory as /init has bytes in the image.",
    example: "root=LABEL=ROOT rd.command",
  }),
  putOld: single(values.oldRootPath, {
    syntax: "rd.putold=PATH",
    fallback: "the old root is unmounted, and an initramfs removed from memory",
    text: "The directory of the new root where the old root stays visible. pivot_root puts a classic initrd there. An initramfs cannot be left by pivot_root, so it is mounted there as well; its files use memory until they are removed. The key files of the image are removed before. The directory must not be in /dev, /proc, /run or /sys.",
    example: "root=LABEL=ROOT rd.putold=/initrd",
  }),
};

/** Failures, and messages. */
export const RESCUE = {
  shell: single(values.shell, {
    syntax: "rdshell[=yes|no|ask|keep]",
    aliases: [
      "rd.shell[=yes|no]",
      "rescueshell[=yes|no]",
      { ...alias("single", (value) => (value === null ? "1" : undefined)), isPassedOn: true },
    ],
    bare: "1",
    // A command line can often be edited, the image seldom: a parameter must not undo what the image forbids.
    sticky: [false, "ask"],
    fallback: "yes, or ask in an image with a shell password",
    text: "A rescue shell if the boot fails. rdshell=0: never a shell, not even as the init of the root. rdshell=ask: only after the shell password of the image (levain image --shell-password). It is enough to give one of them once, on the command line or in levain.toml: rdshell=0 overrides all others, and rdshell=ask all but rdshell=0. Encrypted volumes are closed before the shell starts; with keep, a volume stays open if a passphrase unlocked it in this boot. single is also passed on to init.",
    example: "rdshell=0",
  }),
  breaks: list(values.steps, {
    syntax: "rd.break[=STEP[,STEP…]]",
    aliases: [
      alias("break[=STEP]", (value) => value ?? "premount"),
      // systemd's shell in the initramfs, after which the boot goes on. With a value, rd.emergency= is dracut's policy below.
      alias("rd.emergency", (value) => (value === null ? "root" : undefined)),
      alias("rd.rescue", (value) => (value === null ? "root" : undefined)),
      alias("rd.systemd.unit=emergency.target", (value) => (isShellTarget(value) ? "root" : undefined)),
    ],
    bare: "handover",
    text: "A shell before a step: prepare, modules, network, resume, root, mount, layers, subtrees, init or handover. The breakpoints of dracut and initramfs-tools are accepted too.",
    example: "rd.break=mount",
  }),
  emergency: single(values.oneOf("shell", "menu", "reboot", "poweroff", "halt"), {
    syntax: "rd.emergency=shell|menu|reboot|poweroff|halt",
    aliases: ["gk.emergency=reboot|poweroff|halt"],
    bare: "shell",
    fallback: "reboot with panic=, else shell, or halt with rdshell=0",
    text: "What to do if the boot fails. The menu retries, boots another root, changes parameters and more, on every console; with rdshell=0 it only retries, reboots and powers off.",
    example: "rd.emergency=poweroff",
  }),
  emergencySeconds: single(values.wholeSeconds, {
    syntax: "rd.emergency.after=SECONDS",
    fallback: "at once",
    text: "Wait so long before what rd.emergency= asks for, by default a reboot: who presses Enter twice on a console meanwhile gets the rescue shell, unless rdshell=0 forbids it. With rd.emergency=menu they get the menu, and the machine reboots if no one does.",
    example: "rd.emergency=reboot rd.emergency.after=60",
  }),
  watchdogSeconds: single(values.watchdogSeconds, {
    syntax: "rd.watchdog=SECONDS",
    fallback: "the watchdog is left alone",
    text: "Arm the hardware watchdog, which resets the machine if it hangs for that long, from 15 to 3600. levain feeds it while the boot makes progress or a person is asked, and hands it over armed: the real system must take it over in time, as systemd does with RuntimeWatchdogSec=. docs/unattended.md says more.",
    example: "root=LABEL=ROOT rd.watchdog=60",
  }),
  helpUrl: single(values.helpUrl, {
    syntax: "rd.help.url=URL|no",
    fallback: "the QR code has the text of the failure",
    text: "The report of a failed boot has a QR code on a screen that is large enough: URL, with the code of the failure behind it, as in docs/errors.md. Put it into levain.toml. no: no QR code.",
    example: "rd.help.url=https://docs.example/boot-errors#",
  }),
  hooks: single(values.flag, {
    syntax: "rd.hooks=yes|no",
    fallback: "yes",
    text: "Run the hooks that the image has for the steps of the boot. rd.hooks=0 boots without them, if one of them does harm.",
    example: "rd.hooks=0",
  }),
  panicSeconds: single(values.panicSeconds, {
    syntax: "panic=SECONDS",
    fallback: "no reboot",
    text: "Reboot this many seconds after a failed boot, as after a kernel panic: 0 is never, a negative number immediately.",
    example: "panic=5",
  }),
  quiet: toggle({
    syntax: "quiet",
    aliases: ["rd.quiet[=yes|no]", alias("booster.log=LEVEL", (value) => hasWord(value, /^(?:warning|error)$/, "1"))],
    text: "Print only warnings and errors to the console, and what the boot waits for if it has waited for 5 seconds.",
    example: "quiet",
  }),
  debug: toggle({
    syntax: "rd.debug[=yes|no]",
    // The kernel accepts debug with any value, initramfs-tools debug=vc.
    aliases: [alias("debug", flagOrYes), alias("booster.log=debug", (value) => hasWord(value, /^debug$/, "1"))],
    text: "Print every step in detail, even with quiet.",
    example: "rd.debug",
  }),
  log: single(values.oneOf("kmsg", "console", "all"), {
    syntax: "rd.log=kmsg|console|all",
    aliases: [alias("booster.log=console", (value) => hasWord(value, /^console$/, "all"))],
    fallback: "all",
    text: "Where levain's messages go: the kernel log, the console, or both.",
    example: "rd.log=kmsg",
  }),
  saveLog: single(logPlace, {
    syntax: "rd.log.save=DEVICE[:/DIRECTORY]|no",
    fallback: "a filesystem with the label LEVAIN-LOG, unless rdshell=0 or rdshell=ask is given",
    text: "Where the log of a boot that fails is saved, without passwords: the report, the devices, levain's messages and the kernel's. The next boot that succeeds says that there is one, if this parameter names the device.",
    example: "rd.log.save=LABEL=LOGS:/boot",
  }),
};
