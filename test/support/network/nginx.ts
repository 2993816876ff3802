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
  /** Ends it without notice, and starts it again. */
  restart(): Promise<void>;
  /** The status codes of what it has answered so far. */
  answers(): readonly string[];
}

function secureServer(directory: string, port: number, { cert, key }: ReturnType<Authority["issue"]>): string {
  const at = join(directory, `${port}`);
  writeFileSync(`${at}.crt`, cert);
  writeFileSync(`${at}.key`, key);
  return `server { listen 127.0.0.1:${port} ssl; ssl_certificate ${at}.crt; ssl_certificate_key ${at}.key; root ${directory}/www; }`;
}

/** Starts nginx with these files. Below /slow/ they come at 1 MB/s; /loop redirects to itself, /moved to /file. */
export async function startNginx(
  authority: Authority,
  files: Readonly<Record<string, Uint8Array>>,
  { hasSendfile = true }: { readonly hasSendfile?: boolean } = {},
): Promise<Nginx> {
  const directory = scratchDirectory();
  mkdirSync(join(directory, "www"));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, "www", name), bytes);
  const [plain, secure, other, old] = [freePort(), freePort(), freePort(), freePort()];
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
    listen 127.0.0.1:${plain} backlog=1024; root ${directory}/www;
    location /slow/ { alias ${directory}/www/; limit_rate 1m; }
    location /loop { return 302 /loop; }
    location /moved { return 302 /file; }
  }
  ${secureServer(directory, secure, authority.issue("127.0.0.1", 5))}
  ${secureServer(directory, other, authority.issue("boot.example", 5))}
  ${secureServer(directory, old, authority.issue("127.0.0.1", -1))}
}
`,
  );
  const start = async () => {
    const command = [join(TEST_PROGRAMS, "bin/nginx"), "-p", directory, "-e", "stderr", "-c", "nginx.conf"];
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
  let running = await start();
  return {
    http: `http://127.0.0.1:${plain}`,
    https: `https://127.0.0.1:${secure}`,
    otherName: `https://127.0.0.1:${other}`,
    expired: `https://127.0.0.1:${old}`,
    async restart() {
      await stop();
      running = await start();
    },
    answers: () => readFileSync(join(directory, "access.log"), "utf8").trim().split("\n"),
    [Symbol.asyncDispose]: stop,
  };
}
