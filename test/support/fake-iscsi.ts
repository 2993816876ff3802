import type { Child } from "../../src/machine/child.ts";
import { decodeIscsiOrder, encodeIscsi, type IscsiOrder } from "../../src/network/remote/iscsi-order.ts";
import type { IscsiOutcome } from "../../src/problems/diagnoses/network/iscsi.ts";
import type { FakeImage } from "./fake-images.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { fakeOrderedChild } from "./fake-ordered-child.ts";

export interface FakeIscsiServer {
  /** It listens from then on, in ms of the kernel's clock; from the start where not given. */
  readonly fromMs?: number;
  readonly targets: Readonly<Record<string, FakeImage>>;
  /** What it wants to see in the arguments of iscsistart; everything is right where not given. */
  readonly wants?: readonly string[];
}

/** By "host:port". */
export type FakeIscsiServers = Readonly<Record<string, FakeIscsiServer>>;

const LOGIN_MS = 20;

/** The process that runs iscsistart: what it logs in at appears. */
export function createFakeIscsiChild(kernel: FakeKernel, servers: FakeIscsiServers): Child {
  return fakeOrderedChild(kernel, (bytes) => {
    const order = decodeIscsiOrder(bytes);
    return { takesMs: LOGIN_MS, answer: () => encodeIscsi(logIn(kernel, servers, order)) };
  });
}

function logIn(kernel: FakeKernel, servers: FakeIscsiServers, { host, port, argv }: IscsiOrder): IscsiOutcome {
  const server = servers[`${host}:${port}`];
  if (server === undefined) return { kind: "failed", code: "EHOSTUNREACH" };
  if (kernel.nowMs < (server.fromMs ?? 0)) return { kind: "failed", code: "ECONNREFUSED" };
  const image = server.targets[argv[argv.indexOf("-t") + 1] ?? ""];
  if (image === undefined) return { kind: "refused", status: 19, said: "initiator reported error (19 - fatal login)" };
  // ISCSI_ERR_LOGIN_AUTH_FAILED.
  if (server.wants?.some((text) => !argv.includes(text))) return { kind: "refused", status: 24, said: "" };
  kernel.arrive({ name: "sda", image }, 0);
  return { kind: "connected" };
}
