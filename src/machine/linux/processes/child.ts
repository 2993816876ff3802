import { toArrayBuffer } from "bun:ffi";
import * as fs from "node:fs";
import { SyscallError } from "../../../problems/errors.ts";
import {
  AF_UNIX,
  MAP_SHARED,
  PR_SET_CHILD_SUBREAPER,
  PR_SET_PDEATHSIG,
  PROT_READ,
  PROT_WRITE,
  SIGKILL,
  SOCK_STREAM,
} from "../../abi/child.ts";
import { SOCK_CLOEXEC } from "../../abi/constants.ts";
import { POLLIN } from "../../abi/terminal.ts";
import type { Child, Children } from "../../child.ts";
import { IS_PACKED } from "../crypto/library.ts";
import { openMemoryFile } from "../descriptors.ts";
import { callKernel, findEnd, pollBriefly, spawnProcess, systemCall, waitForEnd } from "../libc.ts";
import { poll } from "../poll.ts";
import { killDescendants, listDescendants } from "./daemons.ts";
import { overwriteProcess } from "./overwrite.ts";

/** The size of the shared memory; a page of it exists from the first write on. */
const ROOM_BYTES = (16 << 20) + 4096;
/** A u32: the length of the order or answer that follows. */
const HEAD_BYTES = 4;
/** The child's descriptors, in place of stdin and stdout. */
const [CHILD_SOCKET, CHILD_MEMORY] = [0, 1];
const SIGNAL = Uint8Array.of(1);
const END_MS = 1000;
/** The status of a process that is killed. */
const KILLED = 128 + SIGKILL;

/**
 * Implements child processes. Orders and answers go through shared memory instead of a pipe, whose pages the kernel does not wipe:
 * so the parent can overwrite the only copy after it has killed the child. A socket signals when one is ready.
 */
export const children: Children = {
  startChild(command) {
    const memory = openMemoryFile(command);
    let sockets: readonly [number, number] | null = null;
    try {
      fs.ftruncateSync(memory, ROOM_BYTES);
      sockets = openSocketPair();
      const [socket, theirs] = sockets;
      const argv = IS_PACKED ? ["/proc/self/exe", command] : [process.execPath, process.argv[1] ?? "", command];
      const pid = spawnProcess({ argv, environment: [], terminal: null, outputFd: null, ends: [theirs, memory] });
      fs.closeSync(theirs);
      return createChild(pid, socket, memory);
    } catch (error) {
      for (const fd of [memory, ...(sockets ?? [])]) callKernel("close", [fd]);
      throw error;
    }
  },
  async serveParent(work) {
    // The kernel ends this process with its parent: later no process could stop it.
    systemCall("prctl", "PR_SET_PDEATHSIG", PR_SET_PDEATHSIG, SIGKILL);
    // A daemon that a program leaves stays below this process, so that it can be found.
    systemCall("prctl", "PR_SET_CHILD_SUBREAPER", PR_SET_CHILD_SUBREAPER, 1);
    const room = mapMemory(CHILD_MEMORY);
    const signal = new Uint8Array(1);
    while (callKernel("read", [CHILD_SOCKET, signal, 1]) === 1) {
      const order = room.subarray(HEAD_BYTES, HEAD_BYTES + readLength(room));
      const answer = await work(order);
      order.fill(0);
      room.set(answer, HEAD_BYTES);
      writeLength(room, answer.length);
      answer.fill(0);
      callKernel("write", [CHILD_SOCKET, SIGNAL, 1]);
    }
    process.exit(0);
  },
  filter,
};

async function* filter(argv: readonly string[], input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, number> {
  const program = Bun.spawn([...argv], { stdin: "pipe", stdout: "pipe", stderr: "ignore" });
  const feed = async () => {
    for await (const part of input) {
      program.stdin.write(part);
      await program.stdin.flush();
    }
    await program.stdin.end();
  };
  let failure: unknown = null;
  const fed = feed().catch((error: unknown) => {
    failure = error;
    program.kill(SIGKILL);
  });
  for await (const part of program.stdout) yield part;
  const status = await program.exited;
  // A program that ends early no longer reads: its status says why.
  if (status === 0 || program.signalCode === "SIGKILL") await fed;
  if (failure !== null && status !== 0 && !isBrokenPipe(failure)) throw failure;
  return status;
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE";
}

function createChild(pid: number, socket: number, memory: number): Child {
  const head = new Uint8Array(HEAD_BYTES);
  let usedBytes = 0;
  /** Once it is over: its exit status. */
  let status: number | null = null;
  const forget = () => {
    if (usedBytes > 0) transfer("pwrite64", memory, new Uint8Array(usedBytes), 0);
    usedBytes = 0;
  };
  return {
    order(bytes) {
      if (HEAD_BYTES + bytes.length > ROOM_BYTES) throw new SyscallError("pwrite64", "EFBIG", "order");
      usedBytes = Math.max(usedBytes, HEAD_BYTES + bytes.length);
      transfer("pwrite64", memory, bytes, HEAD_BYTES);
      writeLength(head, bytes.length);
      transfer("pwrite64", memory, head, 0);
      callKernel("write", [socket, SIGNAL, 1]); // if the child is gone, `answer` says so
    },
    answer(timeoutMs) {
      const [revents] = poll([{ fd: socket, events: POLLIN }], timeoutMs, "child");
      if (revents === 0) return { kind: "busy" };
      if (callKernel("read", [socket, new Uint8Array(1), 1]) !== 1) {
        status ??= waitForEnd(pid);
        return { kind: "gone", status };
      }
      transfer("pread64", memory, head, 0);
      const bytes = new Uint8Array(new ArrayBuffer(Math.min(readLength(head), ROOM_BYTES - HEAD_BYTES)));
      usedBytes = Math.max(usedBytes, HEAD_BYTES + bytes.length);
      transfer("pread64", memory, bytes, HEAD_BYTES);
      forget();
      return { kind: "answer", bytes };
    },
    hasDaemons: () => status === null && listDescendants(pid).length > 0,
    stop(extent) {
      if (status === null) {
        overwriteProcess(pid);
        if (extent === "with daemons") killDescendants(pid);
        if (extent !== undefined) callKernel("kill", [-pid, SIGKILL]);
        callKernel("kill", [pid, SIGKILL]);
        // One that a disk holds up in the kernel ends when that answers: then process 1 reaps it.
        status = pollBriefly(() => findEnd(pid), END_MS) ?? KILLED;
      }
      forget();
      fs.closeSync(socket);
      fs.closeSync(memory);
    },
  };
}

function openSocketPair(): readonly [number, number] {
  const ends = new Int32Array(2);
  systemCall("socketpair", "child", AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
  return [ends[0] ?? -1, ends[1] ?? -1];
}

function mapMemory(fd: number): Uint8Array {
  const address = systemCall("mmap", "order", 0, ROOM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return new Uint8Array(toArrayBuffer(address as Parameters<typeof toArrayBuffer>[0], 0, ROOM_BYTES));
}

/** Transfers all of `bytes` to or from `offset` of the file, without another copy. */
function transfer(call: "pread64" | "pwrite64", fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) {
    const count = systemCall(call, "order", fd, bytes.subarray(done), bytes.length - done, offset + done);
    if (count === 0) throw new SyscallError(call, "EIO", "order");
    done += count;
  }
}

function readLength(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

function writeLength(bytes: Uint8Array, length: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, length, true);
}
