import { connections } from "../../../src/machine/linux/network/connections.ts";
import { http } from "../../../src/machine/linux/network/http.ts";
import type { Connections } from "../../../src/machine/network/connections.ts";
import { download, type Silence } from "../../../src/network/fetch/attempts.ts";
import type { DownloadOrder } from "../../../src/network/fetch/order.ts";
import { describeFault } from "../../../src/problems/causes/transfer.ts";

const downloaded = { bytes: 0 };

/** Calls `act` when the downloads of this process have so many more bytes of a body: fetch() forgets what comes together with the end of a connection. */
export function afterDownload(bytes: number, act: () => void): void {
  const enough = downloaded.bytes + bytes;
  const timer = setInterval(() => {
    if (downloaded.bytes < enough) return;
    clearInterval(timer);
    act();
  }, 5);
}

/** Downloads as the child process does, over the real network of the host, but to memory. `why` has the last failure of each URL. */
export async function downloadToMemory(
  urls: readonly string[],
  more: Partial<DownloadOrder> = {},
  authorities: readonly string[] = [],
  changes: Partial<Connections> = {},
  silence?: Silence,
): Promise<{ readonly content: Buffer; readonly why: readonly string[] | null }> {
  const file = { content: Buffer.alloc(0) };
  const writer = {
    replace: (data: Uint8Array | string) => {
      file.content = Buffer.from(data as string);
    },
    append: (data: Uint8Array) => {
      file.content = Buffer.concat([file.content, data]);
      downloaded.bytes += data.length;
    },
    close: () => undefined,
  };
  const machine = { ...http, ...connections, ...changes, openWriter: () => writer, nowMs: () => performance.now() };
  const order = {
    urls,
    path: "/file",
    limitBytes: 1 << 20,
    patienceMs: 2000,
    proxy: null,
    digest: null,
    timeServers: [],
    ...more,
  };
  const failures = await download(machine, order, authorities, { received: null, url: null, failures: [] }, silence);
  const why = failures?.map(({ url, fault }) => `${url.replace(/.*\//, "")}: ${describeFault(fault)}`) ?? null;
  return { content: file.content, why };
}
