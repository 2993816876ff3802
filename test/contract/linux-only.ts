import { deepEqual, equal, ok } from "node:assert/strict";
import { createLinuxFiles } from "../../src/machine/linux/files.ts";
import { systemCall } from "../../src/machine/linux/libc.ts";
import { configureLoopInTwoSteps, createLoopDevices } from "../../src/machine/linux/storage/loop.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { LINUX_ARRAY_CASES } from "./arrays.ts";
import { type ContractCase, FIXTURES, makeMedium, mountImage, readText, refuses } from "./case.ts";
import { LINUX_CLAIM_CASES } from "./linux-claims.ts";
import { LINUX_FS_VERITY_CASES } from "./linux-fs-verity.ts";
import { LINUX_MAPPING_CASES } from "./linux-mappings.ts";
import { LINUX_NAME_CASES } from "./linux-names.ts";
import { LINUX_SLOW_MOUNT_CASES } from "./linux-slow-mounts.ts";
import { LINUX_TERMINAL_CASES } from "./linux-terminals.ts";
import { LINUX_WORKER_CASES } from "./linux-workers.ts";

const SERIAL = FIXTURES.serial;

/** What only the real machine can show: how its programs start, and how it deals with the kernel. For the guest of contract.test.ts. */
export const LINUX_CASES: readonly ContractCase[] = [
  ...LINUX_TERMINAL_CASES,
  ...LINUX_MAPPING_CASES,
  ...LINUX_ARRAY_CASES,
  ...LINUX_WORKER_CASES,
  ...LINUX_SLOW_MOUNT_CASES,
  ...LINUX_FS_VERITY_CASES,
  ...LINUX_CLAIM_CASES,
  ...LINUX_NAME_CASES,
  {
    name: "stage0 waits for this process, and nobody else is told what it has said to us",
    check(machine) {
      ok(machine.isBoot);
      equal(process.env["LEVAIN_HANDOVER_FD"], undefined);
      ok(!/LEVAIN_|BUN_/.test(shell(machine, "env")));
    },
  },
  {
    name: "a program has default signals, the kernel's limit of open files, and no descriptor but 0 to 2",
    check(machine, directory) {
      machine.listenForDevices();
      machine.kernelLogMark();
      const device = machine.attachLoop({ file: makeMedium(machine, directory), readOnly: true });
      const status = machine.run([FIXTURES.busybox, "cat", "/proc/self/status"], { capture: true }).output;
      for (const mask of ["SigIgn", "SigBlk", "SigCgt"]) ok(status.includes(`${mask}:\t0000000000000000\n`), status);
      equal(shell(machine, "ulimit -Sn"), "1024\n");
      // The fourth is the directory that ls reads.
      equal(shell(machine, "exec /bin/busybox ls /proc/self/fd"), "0\n1\n2\n3\n");
      machine.detachLoop(device);
    },
  },
  {
    name: "a program that a signal ends has status 128 and the signal's number",
    check(machine) {
      equal(machine.run([FIXTURES.busybox, "sh", "-c", "kill -9 $$"]).status, 137);
      equal(machine.run([FIXTURES.busybox, "sh", "-c", "kill -PIPE $$"]).status, 141);
    },
  },
  {
    name: "attributes that are copied include security labels",
    check(machine, directory) {
      const [one, other] = [`${directory}/one`, `${directory}/other`];
      for (const path of [one, other]) machine.makeDirectory(path);
      const label = new TextEncoder().encode("system_u:object_r:etc_t:s0");
      systemCall("lsetxattr", one, one, "security.levain", label, label.length, 0);
      machine.copyAttributes(one, other);
      const found = new Uint8Array(label.length);
      systemCall("lgetxattr", other, other, "security.levain", found, found.length);
      deepEqual(found, label);
    },
  },
  {
    name: "a daemon that keeps the captured output open holds nobody up",
    check(machine) {
      const startMs = machine.nowMs();
      equal(shell(machine, "/bin/busybox sleep 5 & echo started"), "started\n");
      ok(machine.nowMs() - startMs < 4000);
    },
  },
  {
    name: "a program on a terminal leads a session, has the tty as its controlling terminal, and its status comes back",
    check(machine) {
      const script = [
        `for fd in 0 1 2; do [ "$(/bin/busybox readlink /proc/$$/fd/$fd)" = ${SERIAL} ] || exit 10; done`,
        "read -r line < /proc/$$/stat; set -- $line",
        // proc(5): the fields are pid, comm, state, ppid, pgrp, session, tty_nr.
        '[ "$6" = $$ ] || exit 11',
        `[ "$7" = ${FIXTURES.serialNumber} ] || exit 12`,
        "echo written-to-the-controlling-terminal > /dev/tty || exit 13",
        '[ "$GREETING" = hello ] || exit 14',
        // When a session's leader ends, the kernel hangs the tty up, and what a serial line has not sent yet is lost.
        "/bin/busybox usleep 300000",
        "exit 42",
      ].join("\n");
      const pids: number[] = [];
      const argv = [FIXTURES.busybox, "sh", "-c", script];
      equal(
        machine.runOnTerminal(argv, SERIAL, { GREETING: "hello" }, (pid) => pids.push(pid)),
        42,
      );
      ok(pids.length === 1 && (pids[0] ?? 0) > 1);
    },
  },
  {
    name: "a program that takes long is waited for aloud",
    check(machine) {
      const heardMs: number[] = [];
      const onWait = (waitedMs: number) => {
        heardMs.push(waitedMs);
        return 50;
      };
      const argv = [FIXTURES.busybox, "sh", "-c", "/bin/busybox usleep 300000; echo done; exit 3"];
      deepEqual(machine.run(argv, { capture: true, onWait }), { status: 3, output: "done\n" });
      ok(heardMs.length > 1 && (heardMs.at(-1) ?? 0) >= 50, `${heardMs}`);
    },
  },
  {
    name: "an interactive shell on a terminal has job control, and SIGHUP ends it",
    check(machine) {
      const argv = [FIXTURES.busybox, "sh", "-i", "-c", "set -m; /bin/busybox true & wait; exit 7"];
      equal(
        machine.runOnTerminal(argv, SERIAL, {}, () => undefined),
        7,
      );
      const sleeper = [FIXTURES.busybox, "sleep", "60"];
      equal(
        machine.runOnTerminal(sleeper, SERIAL, {}, (pid) => machine.hangUp(pid)),
        129,
      );
    },
  },
  {
    name: "every record gets into the kernel's log, none is held back by its rate limit, and a long one is cut",
    check(machine) {
      for (let number = 0; number < 40; number++) machine.writeKernelLog(7, `record ${number} of the contract`);
      machine.writeKernelLog(7, `long ${"ä".repeat(2000)}`);
      const log = shell(machine, "/bin/busybox dmesg | /bin/busybox tail -n 60");
      equal(log.split("\n").filter((line) => /levain: record \d+ of the contract$/.test(line)).length, 40);
      const long = /levain: long (.*)/.exec(log)?.[1] ?? "";
      ok(long.length > 300, `${long.length} of it is there`);
    },
  },
  {
    name: "a loop device goes with its last user, is read-only as asked, and can be made in two steps for old kernels",
    check(machine, directory) {
      const files = createLinuxFiles();
      const old = createLoopDevices(files, configureLoopInTwoSteps);
      for (const loops of [machine, old]) {
        const device = loops.attachLoop({ file: makeMedium(machine, directory), readOnly: true, offset: 512 });
        const sysfs = device.replace("/dev/", "/sys/block/");
        const settings = ["ro", "loop/autoclear", "loop/offset", "loop/backing_file"].map((name) =>
          readText(machine, `${sysfs}/${name}`),
        );
        deepEqual(settings, ["1\n", "1\n", "512\n", `${directory}/medium/tree.sfs\n`]);
        loops.detachLoop(device);
        machine.unmount(`${directory}/medium`);
      }
      const device = old.attachLoop({ file: makeMedium(machine, directory), readOnly: true });
      mountImage(machine, device, `${directory}/tree`);
      equal(machine.stat(`${directory}/tree/hello`)?.kind, "file");
      old.detachLoop(device);
    },
  },
  {
    name: "a loop device gets a node where nobody else makes one",
    check(machine, directory) {
      const file = makeMedium(machine, directory);
      const device = machine.attachLoop({ file, readOnly: true });
      const number = machine.stat(device)?.represents;
      machine.detachLoop(device);
      machine.removeFile(device);
      equal(machine.attachLoop({ file, readOnly: true }), device);
      equal(machine.stat(device)?.represents, number);
      machine.detachLoop(device);
    },
  },
  {
    name: "Whirlpool is that of ISO/IEC 10118-3, BLAKE2s that of RFC 7693",
    check(machine) {
      const firstBytes = (name: string) => {
        const digest = new Uint8Array(64);
        machine.findLibraryHash(name)?.hash(Buffer.from("abc"), digest);
        return digest.toHex().slice(0, 32);
      };
      equal(firstBytes("whirlpool"), "4e2448a4c6f486bb16b6562c73b4020b");
      equal(firstBytes("blake2s-256"), "508c5e8c327c14e2e1a72ba34eeb452f");
    },
  },
  {
    name: "a handover with a NUL in it is refused before anything is written",
    check(machine) {
      const handover = { mode: "stay", root: "/", putOld: null, isSystemd: false, argv: [], environment: [] } as const;
      refuses("EINVAL", () => machine.handOver({ ...handover, init: "/in\0it" }));
    },
  },
];

function shell(machine: Machine, script: string): string {
  return machine.run([FIXTURES.busybox, "sh", "-c", script], { capture: true }).output;
}
