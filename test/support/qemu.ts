import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type NamedDisk, nameDisks } from "../../src/desk/qemu/disk-devices.ts";
import { type Architecture, MACHINES } from "../../src/desk/qemu/machines.ts";
import { listenForMonitor } from "../../src/desk/qemu/monitor.ts";
import { cacheDirectory } from "./cache.ts";
import { GUEST_ARCHITECTURE } from "./guest-architecture.ts";
import { afterMs, type Clock, clockOf } from "./guest-clock.ts";
import { takeGuestSlot } from "./guest-slot.ts";
import { QUICK_WORDS, wordsOf } from "./guest-words.ts";
import { hotPlug } from "./hot-plug.ts";
import { debianKernel, type KernelFlavour } from "./kernels.ts";
import { behindPort, type Disk, diskArguments } from "./qemu-arguments.ts";
import { noteGuestCost } from "./run-notes.ts";
import { SerialConsole } from "./serial-console.ts";

const EXPECT_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 2000;
export interface BootOptions {
  /** For the name of the log file. */
  readonly name: string;
  /** By default that of `GUEST_ARCH`. */
  readonly architecture?: Architecture;
  /** Debian's "cloud" (default) or "full" kernel, unpacked, or the path of a bzImage or ELF kernel; null boots the first disk through the firmware. */
  readonly kernel?: KernelFlavour | { readonly file: string } | null;
  readonly initrd?: string;
  readonly disks?: readonly Disk[];
  /** What comes after the words of this file on the kernel's command line. */
  readonly cmdline?: string;
  /** QEMU's CPU model; by default "max" without what is slow to emulate, and the kernel is told to save itself work that is slow there. */
  readonly cpu?: string;
  /** Default 512. */
  readonly memoryMib?: number;
  /** Default 1, as guests run side by side; 2 where threads, races or two programs at once matter. */
  readonly smp?: number;
  /** QEMU's virtual time counts instructions, as in `-icount shift=1,sleep=on`; implies one CPU. */
  readonly icount?: boolean;
  /** More arguments for QEMU. */
  readonly extra?: readonly string[];
}

/** How a guest ended: QEMU's exit status and its reason ("guest-shutdown", "guest-reset", "host-signal", …; null where it gave none). */
export interface Exit {
  readonly status: number;
  readonly reason: string | null;
}

/** A running guest. */
export interface Vm {
  /** Waits (default 60 s) for text on the console after what the last `expect` matched; throws with the last 40 lines where it does not come, QEMU ends or the kernel panics. */
  expect(pattern: string | RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** Types on the console; a line needs its "\n". */
  send(text: string): void;
  /** All that the console said so far, without `\r` and colours. */
  log(): string;
  /** What all timeouts of this guest are counted by: the time without what QEMU waited for a CPU of the host. */
  readonly clock: Clock;
  /** Waits this long by `clock`. */
  pause(ms: number): Promise<void>;
  /** How long it has said nothing. */
  silentMs(): number;
  /** Settles when QEMU has ended; the guest's reboot ends it as well. */
  readonly exited: Promise<Exit>;
  /** The same, but throws with the last 40 lines when it has not ended after this time (default 60 s). */
  expectExit(timeoutMs?: number): Promise<Exit>;
  /** Runs a QMP command. */
  monitor(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Gives the guest a disk that was `unplugged`, by its id. */
  plug(id: string): Promise<void>;
  /** Takes a device away from the guest, and waits until the guest and QEMU have released it, with the file behind it. */
  unplug(id: string): Promise<void>;
  /** Ends QEMU if it still runs; safe to call twice. */
  stop(): Promise<void>;
  /** Writes the console log to a file that stays and returns its path. */
  keepLog(): string;
}

/** Starts a guest as soon as a slot is free. */
export async function boot(options: BootOptions): Promise<Vm> {
  const args = await qemuArguments(options);
  const release = await takeGuestSlot();
  try {
    return start(options, args, release);
  } catch (error) {
    release();
    throw error;
  }
}

/** QEMU's command line for these options, without console and monitor. */
export async function qemuArguments(options: BootOptions): Promise<string[]> {
  const { kernel = "cloud", initrd, cmdline = "", cpu, memoryMib = 512, icount = false, extra = [] } = options;
  const { architecture = GUEST_ARCHITECTURE } = options;
  const { program, board, emulatedCpu } = MACHINES[architecture];
  const smp = icount ? 1 : (options.smp ?? 1);
  const words = [wordsOf(architecture), cpu === undefined ? QUICK_WORDS : "", cmdline].filter(Boolean).join(" ");
  const kernelFile = typeof kernel === "string" ? (await debianKernel(kernel, architecture)).vmlinux : kernel?.file;
  return [
    ...[program, "-nodefaults", "-display", "none", "-no-reboot", "-no-user-config", "-machine", board],
    ...(icount ? ["-accel", "tcg", "-icount", "shift=1,sleep=on"] : ["-accel", "tcg,thread=multi"]),
    ...["-cpu", cpu ?? emulatedCpu, "-m", `${memoryMib}`, "-smp", `${smp}`],
    ...(kernelFile === undefined ? [] : ["-kernel", kernelFile, "-append", words]),
    ...(initrd === undefined ? [] : ["-initrd", initrd]),
    ...diskArguments(disksOf(options)),
    ...extra,
  ];
}

function disksOf({ architecture = GUEST_ARCHITECTURE, disks = [] }: BootOptions): readonly NamedDisk<Disk>[] {
  const named = nameDisks(disks);
  return MACHINES[architecture].board === "pc" ? named : named.map(behindPort);
}

function start(options: BootOptions, args: readonly string[], release: () => void): Vm {
  const socket = `levain-vm-${Bun.randomUUIDv7()}`;
  let reason: string | null = null;
  const monitor = listenForMonitor(`\0${socket}`);
  monitor.onEvent((name, data) => {
    if (name === "SHUTDOWN") reason = String(data["reason"]);
  });
  // setpriv: where this process dies without a chance to clean up, the kernel ends QEMU.
  const argv = ["setpriv", "--pdeathsig", "KILL", "--", ...args, "-serial", "stdio"];
  const qmp = ["-chardev", `socket,id=qmp,abstract=on,path=${socket}`, "-mon", "chardev=qmp,mode=control"];
  const child = Bun.spawn([...argv, ...qmp], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  const serial = new SerialConsole(clockOf(child.pid));
  const killChild = (): void => child.kill("SIGKILL");
  process.on("exit", killChild);
  const exited = (async (): Promise<Exit> => {
    const said = Promise.all([child.stderr.text(), feed(child.stdout, serial)]);
    const status = await child.exited;
    noteGuestCost(options.name, child.resourceUsage()?.cpuTime.total);
    // The runtime misses the end of a pipe now and then.
    const [errors] = await Promise.race([said, Bun.sleep(END_TIMEOUT_MS).then(() => [""] as const)]);
    process.off("exit", killChild);
    monitor.close();
    release();
    serial.end(
      `QEMU has ended (status ${status}, ${reason ?? "no reason"})${errors === "" ? "" : `: ${errors.trim()}`}`,
    );
    return { status, reason };
  })();
  return {
    ...consoleMethods(options.name, serial, exited),
    ...hotPlug(disksOf(options), monitor, serial.clock),
    monitor: (command, args) => monitor.execute(command, args),
    exited,
    send(text) {
      child.stdin.write(text);
      child.stdin.flush();
    },
    async stop() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

async function feed(stream: ReadableStream<Uint8Array>, serial: SerialConsole): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) serial.append(decoder.decode(chunk, { stream: true }));
}

function consoleMethods(
  name: string,
  serial: SerialConsole,
  exited: Promise<Exit>,
): Pick<Vm, "expect" | "log" | "clock" | "pause" | "silentMs" | "keepLog" | "expectExit"> {
  return {
    expect: (pattern, timeoutMs = EXPECT_TIMEOUT_MS) => serial.expect(pattern, timeoutMs),
    log: () => serial.text,
    clock: serial.clock,
    pause: (ms) => new Promise((resolve) => afterMs(serial.clock, ms, resolve)),
    silentMs: () => serial.clock() - serial.heardMs,
    keepLog() {
      const path = join(cacheDirectory("logs"), `${name.replaceAll(/[^\w.=-]+/g, "-")}.log`);
      writeFileSync(path, serial.raw);
      return path;
    },
    async expectExit(timeoutMs = EXPECT_TIMEOUT_MS) {
      const { promise, reject } = Promise.withResolvers<never>();
      const late = (): void =>
        reject(new Error(`QEMU has not ended after ${timeoutMs} ms. Its last lines:\n${serial.tail()}`));
      const cancel = afterMs(serial.clock, timeoutMs, late);
      try {
        return await Promise.race([exited, promise]);
      } finally {
        cancel();
      }
    },
  };
}
