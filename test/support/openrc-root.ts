import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { guestPrograms } from "./guest-programs.ts";
import type { RootChanges } from "./root-tree.ts";
import { TEST_PROGRAMS } from "./test-programs.ts";

const PROGRAMS = ["/sbin/openrc-init", "/sbin/openrc", "/sbin/openrc-run", "/sbin/openrc-shutdown"];
const DIRECTORIES = ["/lib/rc/bin", "/lib/rc/sbin", "/lib/rc/sh"];
const RUNLEVELS = ["sysinit", "boot", "default", "shutdown", "nonetwork"];

export interface OpenrcService {
  readonly runlevel: string;
  readonly start: string;
  readonly after?: string;
}

const script = ({ start, after = "" }: OpenrcService) => `#!/sbin/openrc-run
depend() { ${after === "" ? ":" : `after ${after}`}; }
start() {
${start}
}
`;

const isProgram = (file: string) => readFileSync(file).subarray(0, 4).toString("latin1") === "\x7fELF";

/** OpenRC, as Debian builds it, with these services alone: changes for `smallRoot`. */
export async function openrcRoot(services: Readonly<Record<string, OpenrcService>>): Promise<RootChanges> {
  const root = join(TEST_PROGRAMS, "root");
  const listed = DIRECTORIES.flatMap((path) => readdirSync(join(root, path)).map((name) => `${path}/${name}`));
  const [programs = [], scripts = []] = [true, false].map((wanted) =>
    listed.filter((path) => isProgram(join(root, path)) === wanted),
  );
  return {
    ...(await guestPrograms(...PROGRAMS, ...programs)),
    ...Object.fromEntries(scripts.map((path) => [path, { file: join(root, path) }])),
    "/lib/rc/version": { file: join(root, "lib/rc/version") },
    "/etc/rc.conf": { text: 'rc_sys=""\n', mode: 0o644 },
    ...Object.fromEntries(RUNLEVELS.map((name) => [`/etc/runlevels/${name}`, { directory: true }])),
    ...Object.fromEntries(
      Object.entries(services).flatMap(([name, service]) => [
        [`/etc/init.d/${name}`, { text: script(service), mode: 0o755 }],
        [`/etc/runlevels/${service.runlevel}/${name}`, { link: `/etc/init.d/${name}` }],
      ]),
    ),
    "/sbin/init": { link: "/sbin/openrc-init" },
  };
}
