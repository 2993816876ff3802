import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../cache.ts";
import { TEST_PROGRAMS } from "../test-programs.ts";
import type { Authority } from "./authority.ts";
import { freePort } from "./free-port.ts";

/** A real nginx on the loopback; each URL is of a server of its own. */
export interface Nginx extends AsyncDisposable {
  readonly http: string;
  /** With the certificate of the authority for 127.0.0.1, for another name, and one that has expired. */
  readonly https: string;
  readonly otherName: string;
  readonly expired: string;
  /** Waits until it is sending a file, ends it without notice, and starts it again; from then on nothing is slow. */
  interrupt(): Promise<void>;
  /** What it has used so far, in milliseconds of CPU time. */
  cpuMs(): number;
  /** The status codes of what it has answered so far. */
  answers(): readonly string[];
}

function secureServer(directory: string, port: number, { cert, key }: ReturnType<Authority["issue"]>): string {
  const at = join(directory, `${port}`);
  writeFileSync(`${at}.crt`, cert);
  writeFileSync(`${at}.key`, key);
  return `server { listen 127.0.0.1:${port} ssl; ssl_certificate ${at}.crt; ssl_certificate_key ${at}.key; root ${directory}/www; }`;
}

interface NginxOptions {
  readonly hasSendfile?: boolean;
  /** For each connection; 0: no limit. */
  readonly bytesPerSecond?: number;
  /** As of nice(1). */
  readonly niceness?: number;
}

/** proc_pid_stat(5): utime and stime, in ticks of 10 ms. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** What the configuration is made of: the servers with TLS, and the rate of what is below /slow/. */
interface Place extends Required<Pick<NginxOptions, "hasSendfile" | "bytesPerSecond">> {
  readonly directory: string;
  readonly plain: number;
  readonly secureServers: string;
}

function configure({ directory, plain, secureServers, hasSendfile, bytesPerSecond }: Place, slowRate: string): void {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  writeFileSync(
    join(directory, "nginx.conf"),
    `daemon off; master_process off; pid ${directory}/pid; error_log stderr crit;
events { worker_connections 1024; multi_accept on; }
http {
  sendfile ${hasSendfile ? "on" : "off"};
  ${temporary.join(" ")}
  log_format status $status; access_log ${directory}/access.log status;
  server {
    listen 127.0.0.1:${plain} backlog=1024; root ${directory}/www; limit_rate ${bytesPerSecond};
    location /slow/ { alias ${directory}/www/; limit_rate ${slowRate}; }
    location /state { stub_status; access_log off; }
    location /loop { return 302 /loop; }
    location /moved { return 302 /file; }
  }
  ${secureServers}
}
`,
  );
}

/** Starts nginx with these files. Below /slow/ they come at 64 KiB/s until it is restarted; /loop redirects to itself, /moved to /file. */
export async function startNginx(
  authority: Authority,
  files: Readonly<Record<string, Uint8Array>>,
  { hasSendfile = true, bytesPerSecond = 0, niceness = 0 }: NginxOptions = {},
): Promise<Nginx> {
  const directory = scratchDirectory();
  mkdirSync(join(directory, "www"));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, "www", name), bytes);
  const [plain, secure, other, old] = [freePort(), freePort(), freePort(), freePort()];
  const secureServers = [
    secureServer(directory, secure, authority.issue("127.0.0.1", 5)),
    secureServer(directory, other, authority.issue("boot.example", 5)),
    secureServer(directory, old, authority.issue("127.0.0.1", -1)),
  ].join("\n  ");
  const place: Place = { directory, plain, secureServers, hasSendfile, bytesPerSecond };
  const start = async () => {
    const command = [
      "nice",
      "-n",
      `${niceness}`,
      join(TEST_PROGRAMS, "bin/nginx"),
      "-p",
      directory,
      "-e",
      "stderr",
      "-c",
      "nginx.conf",
    ];
    const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    for (;;) {
      if (child.exitCode !== null) throw new Error(`nginx ended with status ${child.exitCode}`);
      if (await fetch(`http://127.0.0.1:${plain}/none`).catch(() => null)) return child;
      await Bun.sleep(20);
    }
  };
  const stop = async () => {
    running.kill("SIGKILL");
    await running.exited;
  };
  // One of the responses that it writes is that of its state.
  const isSending = async () => /Writing: ([2-9])/.test(await (await fetch(`http://127.0.0.1:${plain}/state`)).text());
  configure(place, "64k");
  let running = await start();
  return {
    http: `http://127.0.0.1:${plain}`,
    https: `https://127.0.0.1:${secure}`,
    otherName: `https://127.0.0.1:${other}`,
    expired: `https://127.0.0.1:${old}`,
    async interrupt() {
      while (!(await isSending())) await Bun.sleep(20);
      await stop();
      configure(place, "0");
      running = await start();
    },
    cpuMs: () => cpuMsOf(running.pid),
    answers: () => readFileSync(join(directory, "access.log"), "utf8").trim().split("\n"),
    [Symbol.asyncDispose]: stop,
  };
}
