// Compares DHCP with BusyBox's udhcpc and ISC's dhclient: `bun bench/dhcp.ts [--runs N]`. Each run has a network of its own, with
// dnsmasq behind the cable. The time is that from a card that is down to its address; of the others it includes the start of
// the program and of its script, because they have no other way to set an address.
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { scratchDirectory } from "../test/support/cache.ts";
import { runInLab, runLab } from "../test/support/network-lab.ts";
import { TEST_PROGRAMS } from "../test/support/test-programs.ts";
import { BUSYBOX } from "../test/support/unpacked-programs.ts";
import { align, median } from "./table.ts";

const DNSMASQ = ["--dhcp-range=192.0.2.50,192.0.2.50,255.255.255.0,3600", "--dhcp-option=option:router,192.0.2.1"];

const SCRIPT = `#!/bin/sh
case "$1$reason" in
  bound | BOUND)
    ${BUSYBOX} ip address add "\${ip:-$new_ip_address}/24" dev v0
    ${BUSYBOX} ip route add default via 192.0.2.1 dev v0 ;;
  PREINIT) ${BUSYBOX} ip link set v0 up ;;
esac
`;

const script = join(scratchDirectory(), "script");
writeFileSync(script, SCRIPT);
chmodSync(script, 0o755);

const CLIENTS: Readonly<Record<string, string>> = {
  udhcpc: `${BUSYBOX} ip link set v0 up; ${BUSYBOX} udhcpc -i v0 -n -q -f -s ${script} >/dev/null 2>&1`,
  dhclient: `${join(TEST_PROGRAMS, "bin/dhclient")} -1 -q -sf ${script} -lf /run/leases -pf /run/pid v0 >/dev/null 2>&1`,
};

async function timeOther(command: string): Promise<number> {
  const timed = `begin=$(date +%s%N); ${command}; end=$(date +%s%N); echo $(((end - begin) / 1000))`;
  const text = await runInLab({ dnsmasq: DNSMASQ, command: timed });
  if (!text.includes("192.0.2.50/24")) throw new Error(`there is no address: ${text}`);
  return Number.parseInt(text, 10) / 1000;
}

const { values } = parseArgs({ options: { runs: { type: "string", default: "9" } } });
const times = new Map<string, number[]>(["levain", ...Object.keys(CLIENTS)].map((name) => [name, []]));
for (let run = 0; run < Number(values.runs); run++) {
  const { network, tookMs, report } = await runLab({ dnsmasq: DNSMASQ, parameters: "ip=v0:dhcp" });
  if (network === null) throw new Error(report.join("\n"));
  times.get("levain")?.push(tookMs);
  for (const [name, command] of Object.entries(CLIENTS)) times.get(name)?.push(await timeOther(command));
}
const rows = [...times].map(([name, all]) => [name, `${(median(all) ?? Number.NaN).toFixed(1)} ms`]);
console.log(align([["DHCP to address", "median"], ...rows]));
