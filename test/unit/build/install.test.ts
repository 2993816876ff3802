import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../../support/cache.ts";

const INSTALL = join(import.meta.dir, "../../../build/install.sh");
const OWN = "#!/bin/sh\n# the machine's own\nexit 0\n";

/** A machine whose apt-get is this shell script; its /usr/sbin is the directory `sbin`. */
function machine(aptGet: string) {
  const directory = scratchDirectory();
  const [bin, sbin] = [join(directory, "bin"), join(directory, "sbin")];
  mkdirSync(bin);
  mkdirSync(sbin);
  const script = (path: string, text: string) => {
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  };
  const setAptGet = (text: string) =>
    script(join(bin, "apt-get"), `#!/bin/sh\ncase "$*" in *update*) exit 0;; esac\n${text}\n`);
  setAptGet(aptGet);
  const isolated = ["unshare", "--mount", ...(process.getuid?.() === 0 ? [] : ["--map-root-user"])];
  const mounts = 'mount --bind "$1" /usr/sbin; mount -t tmpfs tmpfs /run; shift; exec sh "$@"';
  return {
    sbin,
    policy: join(sbin, "policy-rc.d"),
    setAptGet,
    script,
    install() {
      const argv = [...isolated, "sh", "-ec", mounts, "sh", sbin, INSTALL, "some-package"];
      const { exitCode, signalCode, stdout } = Bun.spawnSync(argv, {
        env: { PATH: `${bin}:/usr/bin:/bin` },
        stderr: "ignore",
      });
      return { status: exitCode, signal: signalCode ?? null, output: stdout.toString() };
    },
  };
}

const ASK = '/usr/sbin/policy-rc.d some-service start; echo "policy $?"';

describe("build/install.sh", () => {
  test("denies the start of every service while apt runs, and leaves nothing", () => {
    const { policy, install } = machine(ASK);
    expect(install()).toMatchObject({ status: 0, output: "policy 101\n" });
    expect(existsSync(policy)).toBe(false);
  });

  test("restores the machine's own policy, also where apt fails or a signal comes", () => {
    for (const [after, ends] of [
      ["", true],
      ["exit 100", false],
      ["kill -TERM $PPID", false],
    ] as const) {
      const { sbin, policy, script, install } = machine(`${ASK}; ${after}`);
      script(join(sbin, "the-policy"), OWN);
      symlinkSync("the-policy", policy);
      const { status, output } = install();
      expect([after, output, status === 0]).toEqual([after, "policy 101\n", ends]);
      expect(readFileSync(policy, "utf8")).toBe(OWN);
    }
  });

  test("what a run left behind that was killed is put right by the next one", () => {
    const { policy, script, setAptGet, install } = machine("kill -KILL $PPID");
    script(policy, OWN);
    install();
    expect(readFileSync(policy, "utf8")).toContain("exit 101");
    setAptGet(ASK);
    expect(install()).toMatchObject({ status: 0, output: "policy 101\n" });
    expect(readFileSync(policy, "utf8")).toBe(OWN);
  });
});
