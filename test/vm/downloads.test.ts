import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { rootImage } from "../support/filesystem-images.ts";
import { levainImage } from "../support/levain-image.ts";
import { makeAuthority } from "../support/network/authority.ts";
import { vmTest } from "../support/vm-test.ts";

/** The address of the host's loopback in QEMU's user network. */
const HOST = "10.0.2.2";

/** Serves `file` by HTTPS; the first answer is cut in the middle. */
function serve(file: string, tls: { readonly cert: string; readonly key: string }) {
  const bytes = readFileSync(file);
  const asked: string[] = [];
  const server = createServer(tls, (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    asked.push(`${request.url}${from > 0 ? " (the rest)" : ""}`);
    response.writeHead(from > 0 ? 206 : 200, {
      "Content-Length": bytes.length - from,
      ETag: '"one"',
      ...(from > 0 ? { "Content-Range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    if (asked.length > 1) return void response.end(bytes.subarray(from));
    response.write(bytes.subarray(0, bytes.length >> 1), () => setTimeout(() => response.socket?.destroy(), 1000));
  });
  const port = new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  return { port, asked, close: () => void server.close() };
}

let served: ReturnType<typeof serve> | null = null;

vmTest(
  "an image from a web server becomes the root, over TLS, after a cut, and with a clock that shows 1970",
  async () => {
    using authority = makeAuthority();
    const certificate = join(scratchDirectory(), "authority.pem");
    writeFileSync(certificate, authority.certificate);
    const image = await rootImage("squashfs-lz4");
    served = serve(image, authority.issue(HOST, 5));
    return {
      initrd: await levainImage({
        config: "network = true\n",
        files: { "/etc/levain/authorities/test.pem": certificate },
      }),
      cmdline: `root=https://${HOST}:${await served.port}/small.sfs ip=dhcp`,
      extra: ["-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0", "-rtc", "base=1970-01-02"],
    };
  },
  async (vm) => {
    await vm.expect(/the clock shows 1970-01-02, when no certificate is valid: setting it to 20/);
    await vm.expect("trying again");
    await vm.expect("small-root: mount / overlay");
    await vm.expect("small-root: ready");
    expect(served?.asked).toEqual(["/small.sfs", "/small.sfs (the rest)"]);
    served?.close();
    vm.send("date +%Y; ls /run/levain/medium; poweroff -f\n");
    await vm.expect("small.sfs");
    expect(await vm.expectExit()).toEqual({ status: 0, reason: "guest-shutdown" });
  },
);
