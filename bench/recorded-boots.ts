import { flashStick } from "../test/support/disk-images.ts";
import { encryptedVolume, LUKS_UUID, PASSPHRASE, ROOT_UUID } from "../test/support/encrypted-volumes.ts";
import { rootImage } from "../test/support/filesystem-images.ts";
import { PROMPT } from "../test/support/levain-guest.ts";
import type { Vm } from "../test/support/qemu.ts";
import type { Disk } from "../test/support/qemu-arguments.ts";
import { verityFixture } from "../test/support/verity-fixture.ts";
import { type RecordedServer, serveDisk, serveNfs } from "./recorded-servers.ts";
import { furtherDisks, partitionedDisk, sceneDisk, sceneWords } from "./scenes.ts";

/** So many that the runtime collects garbage. */
const DISKS = 240;
const verifiedRoot = () => rootImage("squashfs-zstd");
const READY = /small-root: ready|bench: init/;
const QUESTION = /passphrase: $/;
const COMMANDS = ["status", "devices", "log", "help", "plan root=LABEL=X", "retry root=LABEL=ROOT"];
/** Longer than drivers are loaded behind a prompt, and than RECORD_PAUSE of serve.c: the pager writes what was touched when nothing more is. */
export const PAUSE_MS = 15_000;

/** The recorder unpacks a group for each page. */
const MOST_MS = 600_000;

/** A boot whose pages are recorded. */
export interface RecordedBoot {
  readonly name: string;
  /** The sets for its pages: what it touches until it waits for an answer, and from then on. */
  readonly sets: readonly [string, string];
  readonly disks: () => Promise<string | readonly (string | Disk)[]>;
  /** More arguments of QEMU. */
  readonly extra?: () => Promise<readonly string[]>;
  /** Runs beside the guest, and completes its command line. */
  readonly server?: () => Promise<RecordedServer>;
  readonly cmdline: string | (() => Promise<string>);
  /** Calls `answered` if there was a prompt. */
  readonly act: (vm: Vm, answered: () => void) => Promise<unknown>;
}

const waitForInit: RecordedBoot["act"] = (vm) => vm.expect(READY, MOST_MS);

const unlock =
  (...answers: readonly string[]): RecordedBoot["act"] =>
  async (vm, answered) => {
    await vm.expect(QUESTION, MOST_MS);
    await vm.pause(PAUSE_MS);
    answered();
    for (const [index, passphrase] of answers.entries()) {
      if (index > 0) await vm.expect(QUESTION, MOST_MS);
      vm.send(`${passphrase}\n`);
    }
    await vm.expect(READY, MOST_MS);
  };

const plain = (name: string, disks: RecordedBoot["disks"], cmdline: string): RecordedBoot => ({
  name,
  sets: ["plain", "plain"],
  disks,
  cmdline,
  act: waitForInit,
});

const served = (name: string, server: () => Promise<RecordedServer>): RecordedBoot => ({
  name,
  sets: ["network", "network"],
  disks: async () => [],
  server,
  // The recorder unpacks a group for each page: another process takes a minute to start.
  cmdline: "rd.timeout=900",
  act: (vm) => vm.expect(READY, MOST_MS),
});

/** Most of every boot is in "plain", those of the benchmark included; "then" sets follow a prompt. */
export const BOOTS: readonly RecordedBoot[] = [
  plain("label", () => rootImage("ext4", { label: "ROOT" }), "root=LABEL=ROOT"),
  plain("udev", () => sceneDisk("disk"), sceneWords("levain", "disk")),
  plain("stick", flashStick, "root=LABEL=FLASH rd.image=/newroot.sfs rd.overlay=tmpfs:size=100M"),
  plain("live", () => sceneDisk("live"), sceneWords("levain", "live")),
  {
    name: "verity",
    sets: ["verified", "verified"],
    disks: async () => [await verifiedRoot(), (await verityFixture(await verifiedRoot())).hashes],
    cmdline: async () =>
      `root=/dev/vda rd.verity.hash=/dev/vdb roothash=${(await verityFixture(await verifiedRoot())).rootHash}`,
    act: waitForInit,
  },
  {
    name: "encrypted",
    sets: ["prompt", "unlock"],
    disks: () => sceneDisk("luks"),
    cmdline: sceneWords("levain", "luks"),
    act: unlock("bench"),
  },
  {
    name: "argon",
    sets: ["prompt", "unlock"],
    disks: async () => (await encryptedVolume("vault")).volume,
    cmdline: `rd.luks.uuid=${LUKS_UUID.vault} root=UUID=${ROOT_UUID}`,
    act: unlock("wrong", PASSPHRASE),
  },
  {
    name: "rescue",
    sets: ["rescue", "rescue"],
    disks: () => rootImage("ext4", { label: "ROOT" }),
    cmdline: "root=LABEL=WRONG rd.timeout=1",
    async act(vm) {
      for (const command of COMMANDS) {
        await vm.expect(PROMPT, MOST_MS);
        vm.send(`levain ${command}\n`);
      }
      await vm.expect(READY, MOST_MS);
    },
  },
  {
    name: "disks",
    sets: ["disks", "disks"],
    disks: async () => [{ file: await sceneDisk("disk"), bus: "scsi" }],
    extra: () => furtherDisks(DISKS, partitionedDisk),
    cmdline: sceneWords("levain", "disk"),
    act: waitForInit,
  },
  served("nfs", serveNfs),
  served("nbd", serveDisk),
];
/** The set that follows a prompt. */
export const FOLLOWING = "unlock";
