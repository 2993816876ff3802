import { expect, test } from "bun:test";
import { formatStore } from "../../../src/parameters/stack/overlay.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { planBase, planStack, ROOT, type StackPlan, type Upper } from "../../../src/stack/root-stack.ts";

/** The stack in short: what is mounted where, in the order of the mounts. */
function stackOf(cmdline: string, files: readonly string[] = []): readonly string[] {
  const { plan } = makePlan({ cmdline, manifest: null, machine: "x86_64" });
  const { source, iso, images, lowers, upper, merged } = planStack(plan, files);
  expect(merged).toBe(ROOT);
  expect(planBase(plan)).toEqual({ source, iso, images });
  const name = (place: string) => place.replace("/run/levain/", "");
  return [
    `source ${name(source)}`,
    ...(iso === null ? [] : [`iso ${iso.path} ${name(iso.place)}`]),
    ...lowers.map((lower) => {
      if (lower.kind === "source") return `lower source ${name(lower.place)}`;
      if (lower.kind === "device") return `lower ${lower.device.by} ${name(lower.place)}`;
      const { path, place, ram, inner, isLive } = lower;
      const more = [
        ram && `in ${name(ram)}`,
        inner && `or its ${inner.paths[0]}, ${name(inner.outer)}`,
        isLive && "live",
      ];
      return [`lower ${path} ${name(place)}`, ...more.filter(Boolean)].join(", ");
    }),
    ...(upper === null ? [] : [describeUpper(upper)]),
  ];
}

function describeUpper(upper: Upper): string {
  const name = (place: string) => place.replace("/run/levain/", "");
  if (upper.kind === "tmpfs") return `upper ${name(upper.place)} ${upper.size ?? "default"}`;
  const { store, place, outer, ram } = upper;
  return `upper ${formatStore(store)} ${name(place)} in ${name(outer)}, else ${name(ram.place)} ${ram.size ?? "default"}`;
}

test.each([
  ["root=/dev/vda", [], [`source ${ROOT}`, `lower source ${ROOT}`]],
  ["root=/dev/vda rd.overlay rd.overlay.size=50%", [], ["source lower", "lower source lower", "upper overlay 50%"]],
  [
    "root=/dev/vda rd.overlay=LABEL=DATA:/changes rd.overlay.size=1G",
    [],
    ["source lower", "lower source lower", "upper LABEL=DATA:/changes store in store-disk, else overlay 1G"],
  ],
  [
    "root=/dev/vda rd.layer=LABEL=TOP rd.layer=/more.sfs rd.overlay=0",
    [],
    ["source lower/0", "lower source lower/0", "lower label lower/1", "lower /more.sfs lower/2"],
  ],
  [
    "root=/dev/vda rd.image=/root.sfs",
    ["/root.sfs"],
    ["source medium", "lower /root.sfs lower, live", "upper overlay default"],
  ],
  ["root=/dev/vda rd.image=/root.sfs rd.overlay=0", ["/root.sfs"], ["source medium", `lower /root.sfs ${ROOT}, live`]],
  [
    "root=live:/dev/vda rd.live.ram",
    ["/LiveOS/squashfs.img"],
    [
      "source medium",
      "lower /LiveOS/squashfs.img lower, in ram, or its /LiveOS/rootfs.img, outer, live",
      "upper overlay default",
    ],
  ],
  [
    "boot=live findiso=/d.iso toram rd.layer=/top.sfs",
    ["/live/1.squashfs", "/live/2.dir"],
    [
      "source medium",
      "iso /d.iso iso",
      "lower /live/1.squashfs lower/0, in ram/0, live",
      "lower /live/2.dir lower/1, in ram/1, live",
      "lower /top.sfs lower/2, in ram/2",
      "upper overlay default",
    ],
  ],
  [
    "boot=casper layerfs-path=a.b.squashfs",
    ["/casper/a.squashfs", "/casper/a.b.squashfs"],
    [
      "source medium",
      "lower /casper/a.squashfs lower/0, live",
      "lower /casper/a.b.squashfs lower/1, live",
      "upper overlay default",
    ],
  ],
])("%s", (cmdline, files, stack) => {
  expect(stackOf(cmdline, files)).toEqual(stack);
});

test("no two parts have one place, however many there are", () => {
  const plan: StackPlan = {
    image: { iso: "/a.iso", paths: [], stacked: [], directory: null, inner: ["/in"], copyToRam: true, maker: null },
    layers: [
      { kind: "image", path: "/x" },
      { kind: "device", device: { by: "path", path: "/dev/vdb" } },
    ],
    overlay: { kind: "tmpfs", size: null },
    volatile: null,
  };
  const { source, iso, lowers, upper, merged } = planStack(plan, ["/1", "/2"]);
  const images = lowers.flatMap((lower) => (lower.kind === "image" ? [lower.ram, lower.inner?.outer ?? null] : []));
  const places = [source, iso?.place, ...lowers.map(({ place }) => place), upper?.place, merged, ...images];
  const known = places.filter((place) => place != null);
  expect(known).toHaveLength(12);
  expect(new Set(known).size).toBe(known.length);
});
