import { alias, flagOr, hasWord, isShellTarget, list, single } from "../parameter.ts";
import * as values from "../values.ts";

/** Modules, and the real init. */
export const SYSTEM = {
  modules: list(values.names, {
    syntax: "rd.modules=NAME[,NAME…]",
    aliases: ["rd.driver.pre", "rd.driver.post", "modules", "earlymodules", "modules_load", "rd.modules_load"].map(
      (name) => `${name}=NAME[,NAME…]`,
    ),
    fallback: "what the hardware that is there asks for",
    text: "Kernel modules to load before anything else. A missing one is worth a warning. A module's parameters are given as MODULE.PARAMETER=VALUE.",
    example: "rd.modules=usb-storage",
  }),
  blacklist: list(values.names, {
    syntax: "module_blacklist=NAME[,NAME…]",
    aliases: ["rd.driver.blacklist", "modprobe.blacklist", "blacklist"].map((name) => `${name}=NAME[,NAME…]`),
    fallback: "none",
    text: "Kernel modules that are never loaded.",
    example: "module_blacklist=pcspkr",
  }),
  init: single(values.absolutePath, {
    syntax: "init=PATH",
    fallback: "the first of /sbin/init /etc/init /bin/init /bin/sh that can be run",
    text: "The program of the new root that becomes process 1. Its arguments are the command line's bare words that neither the kernel nor levain knows, and everything after --; unknown NAME=value words become its environment, as the kernel does it.",
    example: "root=LABEL=ROOT init=/bin/sh",
  }),
  initArguments: list(values.argumentList, {
    syntax: "init_args=WORDS",
    fallback: "none",
    text: 'More arguments for init, before those after --; several in quotes: init_args="-a -b".',
    example: 'init_args="-a -b"',
  }),
  handover: single(values.oneOf(["auto", "switch_root", "pivot_root", "stay"]), {
    syntax: "rd.handover=auto|switch_root|pivot_root|stay",
    fallback: "auto: switch_root from an initramfs, pivot_root from a classic initrd; stay without a root=",
    text: "How the new root becomes /; stay: not at all, the initramfs is the final system, and root= is not looked for.",
    example: "root=LABEL=ROOT rd.handover=switch_root",
  }),
  putOld: single(values.filePath, {
    syntax: "rd.putold=PATH",
    fallback: "the old root is unmounted",
    text: "The directory of the new root where pivot_root keeps the old root.",
    example: "root=LABEL=ROOT rd.putold=/initrd",
  }),
};

/** What happens when something fails, and what is said. */
export const RESCUE = {
  shell: single(values.flagOrKeep, {
    syntax: "rdshell[=yes|no|keep]",
    aliases: [
      "rd.shell[=yes|no]",
      "rescueshell[=yes|no]",
      { ...alias("single", (value) => (value === null ? "1" : undefined)), isPassedOn: true },
    ],
    bare: "1",
    // The boot loader's line can often be edited, the image seldom: a word there must not open what the image keeps shut.
    sticky: false,
    fallback: "yes",
    text: "A shell when the boot fails; rdshell=0: never, not even as the init of the root. One rdshell=0 is enough, on the command line or in levain.toml: no other word takes it back. Encrypted volumes are closed before a shell; with keep one stays open that a passphrase has opened in this boot. single is passed on to init too.",
    example: "rdshell=0",
  }),
  breaks: list(values.steps, {
    syntax: "rd.break[=STEP[,STEP…]]",
    aliases: [
      alias("break[=STEP]", (value) => value ?? "premount"),
      // systemd's shell in the initramfs, from which the boot goes on. Its rd.emergency= of dracut is the policy below.
      alias("rd.emergency", (value) => (value === null ? "root" : undefined)),
      alias("rd.rescue", (value) => (value === null ? "root" : undefined)),
      alias("rd.systemd.unit=emergency.target", (value) => (isShellTarget(value) ? "root" : undefined)),
    ],
    bare: "handover",
    fallback: "none",
    text: "A shell before a step: prepare, modules, root, mount, layers, init or handover; dracut's and initramfs-tools' names of them are known.",
    example: "rd.break=mount",
  }),
  emergency: single(values.oneOf(["shell", "reboot", "poweroff", "halt"]), {
    syntax: "rd.emergency=shell|reboot|poweroff|halt",
    bare: "shell",
    fallback: "reboot where panic= is given, else shell, or halt with rdshell=0",
    text: "What to do when the boot fails.",
    example: "rd.emergency=poweroff",
  }),
  panicSeconds: single(values.panicSeconds, {
    syntax: "panic=SECONDS",
    fallback: "no reboot",
    text: "Reboot that many seconds after a failed boot, as after a kernel panic: 0 is never, below 0 at once.",
    example: "panic=5",
  }),
  quiet: single(values.flag, {
    syntax: "quiet",
    aliases: ["rd.quiet[=yes|no]", alias("booster.log=LEVEL", (value) => hasWord(value, /^(?:warning|error)$/, "1"))],
    bare: "1",
    fallback: "no",
    text: "Only warnings and errors on the console.",
    example: "quiet",
  }),
  debug: single(values.flag, {
    syntax: "rd.debug[=yes|no]",
    // The kernel takes debug with any value, initramfs-tools debug=vc.
    aliases: [alias("debug", flagOr("1")), alias("booster.log=debug", (value) => hasWord(value, /^debug$/, "1"))],
    bare: "1",
    fallback: "no",
    text: "Every step in detail, whatever quiet says.",
    example: "rd.debug",
  }),
  log: single(values.oneOf(["kmsg", "console", "all"]), {
    syntax: "rd.log=kmsg|console|all",
    aliases: [alias("booster.log=console", (value) => hasWord(value, /^console$/, "all"))],
    fallback: "all",
    text: "Where levain's own lines go: the kernel's log, the console, or both.",
    example: "rd.log=kmsg",
  }),
};
