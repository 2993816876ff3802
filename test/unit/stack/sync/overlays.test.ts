import { describe, expect, test } from "bun:test";
import type { Machine } from "../../../../src/machine/machine.ts";
import { findOverlayOf, findStoredOverlays } from "../../../../src/stack/sync/overlays.ts";

const BASE = [
  "20 1 0:2 / / rw - overlay overlay rw,lowerdir=/run/levain/store/upper:/run/levain/lower,upperdir=/run/levain/overlay/upper,workdir=/run/levain/overlay/work",
  "21 20 0:20 / /run rw - tmpfs tmpfs rw,mode=755",
  "22 21 254:0 / /run/levain/store ro - ext4 /dev/vda ro",
  "23 21 0:21 / /run/levain/overlay rw - tmpfs tmpfs rw",
];

const machineWith = (...lines: readonly string[]) =>
  ({ readFile: () => Buffer.from(lines.join("\n")) }) as Partial<Machine> as Machine;

const ROOT = {
  path: "/",
  branch: "/run/levain/store/upper",
  layers: { upper: "/run/levain/overlay/upper", lowers: ["/run/levain/lower"] },
};

describe("overlays whose changes are kept", () => {
  test("have a tmpfs above a place that the boot has mounted for changes", () => {
    expect(findStoredOverlays(machineWith(...BASE))).toEqual([ROOT]);
  });

  test("are counted once, however often they are mounted, and only as a whole", () => {
    const [overlay = ""] = BASE;
    const bound = overlay.replace(" / / rw", " / /mnt rw");
    const part = overlay.replace(" / / rw", " /etc /mnt/etc rw");
    expect(findStoredOverlays(machineWith(part, ...BASE, bound))).toEqual([ROOT]);
  });

  test.each([
    ["a layer that is no such place", "/run/levain/store/upper", "/run/levain/lower2"],
    ["a layer that somebody else has mounted", "/run/levain/store/upper", "/mnt/store/upper"],
    ["an upper on a disk", "upperdir=/run/levain/overlay/upper", "upperdir=/mnt/upper"],
  ])("are not those with %s", (_, from, to) => {
    const lines = ["9 1 254:0 / /mnt rw - ext4 /dev/vdb rw", ...BASE.map((line) => line.replace(from, to))];
    expect(findStoredOverlays(machineWith(...lines))).toEqual([]);
  });

  test("may have their changes on the disk already", () => {
    const lines = BASE.map((line) =>
      line
        .replace("/run/levain/store/upper:", "")
        .replace("upperdir=/run/levain/overlay", "upperdir=/run/levain/store"),
    );
    expect(findStoredOverlays(machineWith(...lines))).toEqual([{ ...ROOT, layers: null }]);
  });

  test("have layers with any name, in one option or several", () => {
    const joined = "lowerdir=/run/levain/store/a\\134:b:/lower\\040one\\054two";
    const single = "lowerdir+=/run/levain/store/a:b,lowerdir+=/lower\\040one\\054two";
    for (const option of [joined, single]) {
      const lines = BASE.map((line) => line.replace(/lowerdir=[^,]*/, () => option));
      const [found] = findStoredOverlays(machineWith(...lines));
      expect(found).toMatchObject({ branch: "/run/levain/store/a:b", layers: { lowers: ["/lower one,two"] } });
    }
  });

  test("contain a directory unless something else is mounted over it", () => {
    const machine = machineWith(...BASE, "30 20 8:1 / /home rw - ext4 /dev/sda1 rw");
    const overlays = findStoredOverlays(machine);
    const scope = (path: string) => findOverlayOf(machine, overlays, path)?.scope ?? null;
    expect([scope("/"), scope("/var/log"), scope("/häuser"), scope("/home/me"), scope("/run/x")]).toEqual([
      "",
      "var/log",
      Buffer.from("häuser").toString("latin1"),
      null,
      null,
    ]);
  });
});
