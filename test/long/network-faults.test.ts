import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../support/cache.ts";
import { type Lab, runInLab, runLab } from "../support/network-lab.ts";
import { TEST_PROGRAMS } from "../support/test-programs.ts";

// Faults of a network that last as long as real ones do, so these tests take minutes, but next to no CPU time.

const OUT_S = 20;
const LIMIT_MS = 240_000;
const RANGE = "--dhcp-range=192.0.2.50,192.0.2.50,255.255.255.0,3600";
const DNSMASQ = join(TEST_PROGRAMS, "bin/dnsmasq");

/** A shell command that starts nginx behind the cable, with the file /image at 256 KiB/s. */
function nginxWith(image: Uint8Array): string {
  const directory = scratchDirectory();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const paths = temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join(" ");
  writeFileSync(join(directory, "image"), image);
  writeFileSync(join(directory, "machine.toml"), "parameters = []\n");
  writeFileSync(
    join(directory, "nginx.conf"),
    `user root root; daemon off; master_process off; pid ${directory}/pid; error_log stderr crit;
events { worker_connections 64; }
http { access_log off; ${paths} server { listen 192.0.2.1:80; root ${directory}; limit_rate 256k; } }
`,
  );
  return `ip netns exec server ${join(TEST_PROGRAMS, "bin/nginx")} -p ${directory} -e stderr -c nginx.conf >&2`;
}

/** Downloads with the client's code, and the patience of a boot; `before` may call `serve`. */
async function download(image: Uint8Array, lab: Lab): Promise<{ bytes: number; tookMs: number; retries: number }> {
  const hex = createHash("sha256").update(image).digest("hex");
  const client = join(import.meta.dir, "../support/network/fleet-client.ts");
  const text = await runInLab({
    ...lab,
    before: `ip address add 192.0.2.5/24 dev v0; ip link set v0 up; serve() { ${nginxWith(image)}; }; ${lab.before}`,
    command: `"$BUN" ${client} http://192.0.2.1/machine.toml http://192.0.2.1/image ${hex}`,
  });
  return JSON.parse(text.split("\n")[0] ?? "");
}

const IMAGE = Buffer.alloc(2 << 20, "an image ");

describe("a download", () => {
  test(
    "from a server that starts 20 s later",
    async () => {
      const { bytes, retries } = await download(IMAGE, { before: `(sleep ${OUT_S}; serve) &` });
      expect(bytes).toBe(IMAGE.length);
      expect(retries).toBeGreaterThan(3);
    },
    LIMIT_MS,
  );

  test(
    "whose cable is out for 20 s continues",
    async () => {
      const cut = `(sleep 4; ip -n server link set v1 down; sleep ${OUT_S}; ip -n server link set v1 up) &`;
      const { bytes, tookMs } = await download(IMAGE, { before: `serve & sleep 1; ${cut}` });
      expect(bytes).toBe(IMAGE.length);
      expect(tookMs).toBeGreaterThan(OUT_S * 1000);
    },
    LIMIT_MS,
  );

  test(
    "over a cable that loses a fifth of all frames",
    async () => {
      const image = IMAGE.subarray(0, 256 << 10);
      const { bytes } = await download(image, { before: "serve & sleep 1", lossPercent: 20 });
      expect(bytes).toBe(image.length);
    },
    LIMIT_MS,
  );
});

describe("DHCP", () => {
  test(
    "over a cable that loses a fifth of all frames",
    async () => {
      const { network, report } = await runLab({ dnsmasq: [RANGE], lossPercent: 20, parameters: "ip=v0:dhcp" });
      expect([network?.interfaces[0]?.addresses, report]).toEqual([[{ address: "192.0.2.50", prefix: 24 }], []]);
    },
    LIMIT_MS,
  );

  test(
    "from a server that starts 20 s later, and within 5 s a line says that none answers",
    async () => {
      const server = `ip netns exec server ${DNSMASQ} --conf-file=/dev/null --no-daemon --user=root --port=0 --interface=v1 --leasefile-ro --dhcp-authoritative --no-ping --pid-file= ${RANGE}`;
      const { network, said, tookMs } = await runLab({ before: `(sleep ${OUT_S}; exec ${server} >&2) &` });
      expect(network?.interfaces[0]?.addresses).toEqual([{ address: "192.0.2.50", prefix: 24 }]);
      expect(said.join("\n")).toMatch(
        /waiting for the network, 5 of 60 s · seen: v0 has a carrier, but no DHCP server has answered \d messages/,
      );
      expect(tookMs).toBeGreaterThan(OUT_S * 1000 - 1000);
    },
    LIMIT_MS,
  );

  test(
    "from two servers, of which one refuses this machine: the other one's address",
    async () => {
      // A switch with a server at each of its ports.
      const host = (name: string, address: string, ...more: readonly string[]) => `
        ip netns add ${name}; ip -n server link add to-${name} master br0 type veth peer name eth0 netns ${name}
        ip -n server link set to-${name} up; ip -n ${name} link set eth0 up; ip -n ${name} address add ${address}/24 dev eth0
        ip netns exec ${name} ${DNSMASQ} --conf-file=/dev/null --no-daemon --user=root --port=0 --interface=eth0 \\
          --leasefile-ro --no-ping --pid-file= ${more.join(" ")} >&2 &`;
      const { network, tookMs } = await runLab({
        before: `ip -n server link add br0 type bridge; ip -n server link set br0 up; ip -n server link set v1 master br0
          ${host("one", "192.0.2.2", "--dhcp-range=192.0.2.60,192.0.2.60", "--dhcp-ignore=tag:!known")}
          ${host("two", "192.0.2.3", "--dhcp-range=192.0.2.70,192.0.2.70")}`,
      });
      expect(network?.interfaces[0]?.addresses).toEqual([{ address: "192.0.2.70", prefix: 24 }]);
      expect(tookMs).toBeLessThan(30_000);
    },
    LIMIT_MS,
  );
});
