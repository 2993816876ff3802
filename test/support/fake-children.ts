import { CHILD_COMMANDS } from "../../src/machine/child-commands.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { createDrawings } from "../../src/rescue/qr/draw.ts";
import { createFakeChildren, type FakeChildren } from "./fake-child.ts";
import { createFakeDownloadChild, type FakeWeb } from "./fake-downloads.ts";
import { createFakeIscsiChild, type FakeIscsiServers } from "./fake-iscsi.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { createFakeLogChild } from "./fake-log-child.ts";
import { createFakeNfsChild, type FakeNfsServers } from "./fake-nfs.ts";
import { createFakeNvmeChild, type FakeNvmeServers } from "./fake-nvme.ts";
import { fakeOrderedChild } from "./fake-ordered-child.ts";
import type { FakeProcess } from "./fake-processes.ts";
import type { FakeServers } from "./fake-remote-disks.ts";
import { createFakeRunChild } from "./fake-run-child.ts";
import { createFakeUnpackChild } from "./fake-unpack-child.ts";

/** The servers that other processes of levain talk to. */
export interface FakeServersOptions {
  readonly servers?: FakeServers;
  readonly nvme?: FakeNvmeServers;
  readonly iscsi?: FakeIscsiServers;
  readonly web?: FakeWeb;
  readonly nfs?: FakeNfsServers;
}

/** The other processes of levain. */
export function startFakeChildren(
  kernel: FakeKernel,
  { web = {}, nfs = {}, servers = {}, nvme = {}, iscsi = {} }: FakeServersOptions,
  files: Pick<Machine, "readFile" | "writeFile">,
  machine: () => Machine,
  start: FakeProcess,
): FakeChildren {
  return createFakeChildren(kernel, {
    [CHILD_COMMANDS.download]: () => createFakeDownloadChild(kernel, files, web),
    [CHILD_COMMANDS.iscsi]: () => createFakeIscsiChild(kernel, iscsi),
    [CHILD_COMMANDS.nvme]: () => createFakeNvmeChild(kernel, nvme),
    [CHILD_COMMANDS.nfs]: () => createFakeNfsChild(kernel, (request) => machine().mount(request), nfs, servers),
    [CHILD_COMMANDS.unpack]: () => createFakeUnpackChild(kernel, files),
    [CHILD_COMMANDS.save]: () => createFakeLogChild(kernel, machine()),
    [CHILD_COMMANDS.qr]: () =>
      fakeOrderedChild(kernel, (order) => ({ takesMs: 0, answer: () => createDrawings()(order) })),
    [CHILD_COMMANDS.run]: () => createFakeRunChild(kernel, start),
  });
}
