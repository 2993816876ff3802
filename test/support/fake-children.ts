import type { Machine } from "../../src/machine/machine.ts";
import { DOWNLOAD_COMMAND } from "../../src/network/fetch/order.ts";
import { NFS_COMMAND } from "../../src/network/nfs/order.ts";
import { ISCSI_COMMAND } from "../../src/network/remote/iscsi-order.ts";
import { NVME_COMMAND } from "../../src/network/remote/nvme-order.ts";
import { RUN_COMMAND } from "../../src/storage/kinds/firmware/run-apart.ts";
import { createFakeChildren, type FakeChildren } from "./fake-child.ts";
import { createFakeDownloadChild, type FakeWeb } from "./fake-downloads.ts";
import { createFakeIscsiChild, type FakeIscsiServers } from "./fake-iscsi.ts";
import type { FakeKernel } from "./fake-kernel.ts";
import { createFakeNfsChild, type FakeNfsServers } from "./fake-nfs.ts";
import { createFakeNvmeChild, type FakeNvmeServers } from "./fake-nvme.ts";
import type { FakeProcess } from "./fake-processes.ts";
import type { FakeServers } from "./fake-remote-disks.ts";
import { createFakeRunChild } from "./fake-run-child.ts";

/** The servers that other processes of levain talk to. */
export interface FakeServersOptions {
  /** NBD servers, by address and port. */
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
  files: Pick<Machine, "writeFile">,
  mount: Machine["mount"],
  start: FakeProcess,
): FakeChildren {
  return createFakeChildren(kernel, {
    [DOWNLOAD_COMMAND]: () => createFakeDownloadChild(kernel, files, web),
    [ISCSI_COMMAND]: () => createFakeIscsiChild(kernel, iscsi),
    [NVME_COMMAND]: () => createFakeNvmeChild(kernel, nvme),
    [NFS_COMMAND]: () => createFakeNfsChild(kernel, mount, nfs, servers),
    [RUN_COMMAND]: () => createFakeRunChild(kernel, start),
  });
}
