import { describe, expect, test } from "bun:test";
import {
  formatGrub,
  formatSyslinux,
  formatSystemdBoot,
  listParameters,
  type Stick,
} from "../../../../src/desk/usb/entries.ts";
import { createIdentity } from "../../../../src/desk/usb/identity.ts";
import { layOutDisk, MIB, type Role, type Table } from "../../../../src/desk/usb/layout.ts";
import { makePlan } from "../../../../src/plan/make-plan.ts";

const identity = createIdentity(new Uint8Array(1));
const HASH = "6fe0c3d2a1b4958677a8b9cadbecfd0e1f2031425364758697a8b9cadbecfd0e";
const VOLUMES = { root: identity.uuid("root"), changes: identity.uuid("changes") };

function stick(table: Table, roles: readonly Role[], more: Partial<Stick> = {}): Stick {
  const layout = layOutDisk(
    table,
    roles.map((role) => ({ role, bytes: MIB })),
    identity,
  );
  return { label: "RYE", layout, volumes: null, rootHash: null, cmdline: [], ...more };
}

const plain = stick("gpt", ["boot", "root"]);
const [, root] = plain.layout.partitions;

describe("the parameters of a stick", () => {
  test.each([
    ["a root without more", plain, `root=PARTUUID=${root?.partUuid} rd.overlay`],
    ["a file on FAT", stick("mbr", ["boot"]), "root=LABEL=RYE rd.image=/root.img rd.overlay"],
    [
      "a verified file",
      stick("mbr", ["boot"], { rootHash: HASH }),
      `root=LABEL=RYE rd.image=/root.img rd.verity.roothash=${HASH} rd.overlay`,
    ],
    [
      "encrypted, with changes",
      stick("gpt", ["boot", "root", "changes"], { volumes: VOLUMES, cmdline: ["quiet"] }),
      `rd.luks.name=${VOLUMES.root}=stick rd.luks.name=${VOLUMES.changes}=changes root=/dev/mapper/stick rd.overlay=/dev/mapper/changes quiet`,
    ],
  ] as const)("%s", (_, made, expected) => expect(listParameters(made).join(" ")).toBe(expected));

  test.each([
    ["verified", stick("gpt", ["boot", "root", "hashes"], { rootHash: HASH })],
    [
      "verified, in a volume",
      stick("gpt", ["boot", "root", "hashes", "changes"], { rootHash: HASH, volumes: VOLUMES }),
    ],
    ["with changes on an MBR", stick("mbr", ["boot", "changes"])],
  ] as const)("a stick that is %s boots without a warning of the plan", (_, made) => {
    const cmdline = listParameters(made).join(" ");
    const input = { cmdline, manifest: { version: 1, kernel: null, parameters: [] }, hasFile: () => false } as const;
    const { plan, warnings } = makePlan({ ...input, crypttab: null });
    expect(warnings).toEqual([]);
    expect(plan.crypt.volumes.length).toBe(made.volumes === null ? 0 : 2);
  });
});

describe("boot menus", () => {
  test("have the system first, and a shell", () => {
    const files = { ...formatSystemdBoot(plain), ...formatSyslinux(plain, null), ...formatGrub(plain) };
    expect(Object.keys(files)).toEqual([
      ...["loader/loader.conf", "loader/entries/levain.conf", "loader/entries/rescue.conf"],
      ...["syslinux.cfg", "boot/grub/grub.cfg"],
    ]);
    expect(files["loader/entries/rescue.conf"]).toMatch(/^options root=PARTUUID=\S+ rd.overlay rd.break=mount /m);
    expect(files["syslinux.cfg"]).toContain("DEFAULT levain\n");
    expect(files["boot/grub/grub.cfg"]).toContain("set default=levain\n");
  });

  test("GRUB's quotes what its shell would interpret", () => {
    const grub = formatGrub(stick("gpt", ["boot", "root"], { cmdline: ["a=$b;{c}", "d=e"] }));
    expect(grub["boot/grub/grub.cfg"]).toContain(" 'a=$b;{c}' d=e\n");
  });
});
