import { answerOrder } from "../../src/keys/deriver.ts";
import { costOf } from "../../src/keys/kdf-cost.ts";
import type { Child, Children } from "../../src/machine/child.ts";
import { CHILD_COMMANDS } from "../../src/machine/child-commands.ts";
import type { Connections } from "../../src/machine/network/connections.ts";
import type { Http } from "../../src/machine/network/http.ts";
import { SyscallError } from "../../src/problems/errors.ts";
import { fakeKeyDerivation, fakeLibraryHashes } from "./fake-argon2.ts";
import type { FakeKernel } from "./fake-kernel.ts";

const LARGEST_BYTES = 16 << 20;
const SIGKILL_STATUS = 128 + 9;

/** Children whose derivations take a microsecond for each unit of cost, whatever they take here; none is done that nobody waits for. */
export interface FakeChildren {
  readonly calls: Children & Http & Connections;
  /** How many were started, and how many are there now. */
  readonly started: () => number;
  readonly alive: () => number;
  /** As when memory runs out. */
  killAll(): void;
}

/** The processes that derive keys for a fake machine; `others` starts those with other commands. */
export function createFakeChildren(kernel: FakeKernel, others: Readonly<Record<string, () => Child>>): FakeChildren {
  const machine = {
    ...{ ...fakeKeyDerivation, ...fakeLibraryHashes },
    stat: () => null,
    readFile: (path: string): never => {
      throw new SyscallError("open", "ENOENT", path);
    },
  };
  const alive = new Set<Child>();
  let started = 0;

  function startChild(command: string): Child {
    const start = others[command];
    if (start !== undefined) return start();
    if (command !== CHILD_COMMANDS.derive) throw new Error(`FakeMachine: no process for ${command}`);
    let order: Uint8Array | null = null;
    let readyMs = 0;
    const child: Child = {
      order(bytes) {
        if (bytes.length > LARGEST_BYTES) throw new SyscallError("pwrite64", "EFBIG", "order");
        order = new Uint8Array(bytes);
        readyMs = kernel.nowMs + costOfOrder(order) / 1000;
      },
      answer(timeoutMs) {
        if (!alive.has(child)) return { kind: "gone", status: SIGKILL_STATUS };
        const isReady = order !== null && readyMs <= kernel.nowMs + timeoutMs;
        kernel.waitUntil(isReady ? Math.max(readyMs, kernel.nowMs) : kernel.nowMs + timeoutMs);
        if (!isReady || order === null) return { kind: "busy" };
        const bytes = answerOrder(machine, order);
        order = null;
        return { kind: "answer", bytes };
      },
      hasDaemons: () => false,
      stop: () => void alive.delete(child),
    };
    alive.add(child);
    started += 1;
    return child;
  }

  return {
    calls: {
      startChild,
      serveParent: () => {
        throw new Error("FakeMachine: it is no child");
      },
      filter: () => {
        throw new Error("FakeMachine: it is no child");
      },
      request: () => {
        throw new Error("FakeMachine: it has no network");
      },
      tryConnection: () => {
        throw new Error("FakeMachine: it has no network");
      },
      listAddresses: () => {
        throw new Error("FakeMachine: it has no network");
      },
      openConversation: () => {
        throw new Error("FakeMachine: it has no network");
      },
    },
    started: () => started,
    alive: () => alive.size,
    killAll: () => alive.clear(),
  };
}

function costOfOrder(order: Uint8Array): number {
  const end = 4 + new DataView(order.buffer, order.byteOffset).getUint32(0, true);
  const { kdf, length } = JSON.parse(new TextDecoder().decode(order.subarray(4, end)));
  return costOf(kdf, length, null);
}
