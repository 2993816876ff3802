import { readFileSync, statSync } from "node:fs";
import * as v from "valibot";
import { BootError } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";
import { requireParameter } from "../config/config.ts";
import { attempt } from "../host.ts";
import { explainIssue, readableBy } from "../schema-issues.ts";

/** A hundred times the hints of a server with many disks. */
const FILE_MAX_BYTES = 4 << 20;
const LIST_MAX = 4096;

/** One line: names, aliases and lines of a crypttab go into files where a line feed would begin another. */
const line = v.pipe(v.string(), v.regex(/^[^\p{Cc}]*$/u, "expected text without control characters"));
const name = v.pipe(v.string(), v.regex(/^[\w.:@!+#=-]+$/, "expected the name of a device"));
const moduleName = v.pipe(v.string(), v.regex(/^[\w-]+$/, "expected the name of a module"));
const typeName = v.pipe(v.string(), v.regex(/^[\w.-]+$/, "expected the name of a filesystem type"));

const list = <const Item extends v.GenericSchema>(item: Item) =>
  v.pipe(v.array(item), v.maxLength(LIST_MAX, `expected at most ${LIST_MAX} elements`), v.readonly());

/** A device between the CPU and another device, and the driver that is bound to it. */
const step = v.strictObject({
  /** Its bus and its name there, as "pci 0000:01:00.0". */
  device: line,
  driver: line,
  /** null: the driver is built into the kernel that runs. */
  module: v.nullable(moduleName),
  modalias: v.nullable(line),
});

/** A device, and the drivers on the way to it, that of the bus first. */
const reached = { name, drivers: list(step) };

const schema = v.strictObject({
  version: v.literal(1),
  /** `uname -r` and `uname -m` of the system. */
  kernel: line,
  machine: line,
  cpu: v.strictObject({ vendor: line, family: v.number(), model: v.number(), stepping: v.number() }),
  cmdline: line,
  /** What is mounted at / and, before the real init starts, below it; the parts of an overlay before it. */
  filesystems: list(
    v.strictObject({ path: line, type: typeName, options: line, devices: list(name), isChecked: v.boolean() }),
  ),
  /** Devices that are made of others, the lowest first. */
  volumes: list(
    v.strictObject({
      device: name,
      /** Of /dev/mapper/NAME; null if it has none. */
      name: v.nullable(line),
      kind: v.picklist(["luks", "plain", "integrity", "verity", "lvm", "multipath", "md", "bcache", "loop", "mapping"]),
      on: list(name),
      /** The level of an array, the cipher of an encrypted volume if it could be read. */
      detail: v.nullable(v.pipe(v.string(), v.regex(/^[\w():,-]+$/, "expected a cipher or a level"))),
    }),
  ),
  disks: list(v.strictObject({ ...reached, server: v.nullable(v.picklist(["nbd", "aoe", "iscsi", "nvme-tcp"])) })),
  usb: list(v.strictObject(reached)),
  keyboards: list(v.strictObject(reached)),
  screens: list(v.strictObject(reached)),
  cards: list(v.strictObject({ ...reached, isUp: v.boolean() })),
  /** Kinds of network interfaces that are made of others: "vlan", "bond", "bridge". */
  links: list(v.picklist(["vlan", "bond", "bridge"])),
  /** All that the kernel has loaded. */
  modules: list(moduleName),
  keymap: v.nullable(name),
  /** Lines of crypttab(5) for the encrypted volumes above. */
  crypttab: list(line),
  /** What the kernel command line may leave to the image: root=, rootflags=, resume=. */
  parameters: list(readableBy(requireParameter)),
});

/** What a boot of one machine needs; HINTS.json. */
export type Hints = v.InferOutput<typeof schema>;
/** What a boot needs to reach the root, and what a person types on. */
export type Needs = Pick<Hints, "volumes" | "disks" | "keyboards">;
/** One of the devices on the way to another. */
export type DriverStep = v.InferOutput<typeof step>;
/** A device that is made of others. */
export type Volume = Hints["volumes"][number];
/** A disk, and the kind of server that it is on. */
export type Disk = Hints["disks"][number];

const NAMED_MAX = 5;

/** Reads hints that `levain host` has printed on any machine. Throws BootError. */
export function readHintsFile(path: string): Hints {
  const what = `cannot read the hints ${printable(path)}`;
  const bytes = attempt(
    what,
    () => {
      const status = statSync(path);
      if (!status.isFile()) throw new BootError(`${what}: it is not a file`);
      if (status.size > FILE_MAX_BYTES) throw new BootError(`${what}: it is longer than ${FILE_MAX_BYTES >> 20} MiB`);
      return readFileSync(path, "utf8");
    },
    "make them on the machine that is to boot: levain host > hints.json",
  );
  return parseHints(bytes, path);
}

/** Parses the text of HINTS.json; `path` is for the messages. Throws BootError. */
export function parseHints(text: string, path: string): Hints {
  const detail = { hint: "make them on the machine that is to boot: levain host > hints.json" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BootError(`${printable(path)} has no hints: it is not JSON`, { ...detail, cause });
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const seen = result.issues.slice(0, NAMED_MAX).map((issue) => printable(explainIssue(issue)));
  throw new BootError(`${printable(path)} has no hints of this version of levain`, { ...detail, seen });
}
