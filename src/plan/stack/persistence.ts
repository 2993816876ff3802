import { onlyTexts } from "../../formats/text.ts";
import type { Settings } from "../../parameters/parameters.ts";
import { readDialect } from "../media.ts";
import type { BootPlan, PersistencePlan, PersistenceVolume } from "../plan.ts";

/** What a volume keeps, by its name: live-boot(7) and persistence.conf(5) of Debian, casper(7) of Ubuntu; live-rw and home-rw are live-boot's names before 3.0. */
const DEBIAN: readonly PersistenceVolume[] = [
  { name: "persistence", keeps: "listed" },
  { name: "live-rw", keeps: "root" },
  { name: "home-rw", keeps: "home" },
];
const UBUNTU: readonly PersistenceVolume[] = [
  { name: "writable", keeps: "root" },
  { name: "casper-rw", keeps: "root" },
  { name: "home-rw", keeps: "home" },
];

/** Decides which volumes keep the changes of a live medium; null if none does: without an overlay nothing can be changed, and rd.overlay= may name another place. */
export function decidePersistence(settings: Settings, { overlay }: Pick<BootPlan, "overlay">): PersistencePlan | null {
  const { isLiveBoot, isCasper } = readDialect(settings);
  if (settings.persistence !== true || overlay?.kind !== "tmpfs" || !(isLiveBoot || isCasper)) return null;
  const { persistenceNames, persistenceSuffix } = settings;
  const keeps = isCasper ? "root" : "listed";
  const volumes = persistenceNames?.map((name) => ({ name, keeps }) as const) ?? (isCasper ? UBUNTU : DEBIAN);
  const suffix = persistenceSuffix === undefined ? "" : `-${persistenceSuffix}`;
  const storage = settings.persistenceStorage ?? ["filesystem", "file"];
  const encryption = settings.persistenceEncryption ?? ["none"];
  return {
    volumes: volumes.map((volume) => ({ ...volume, name: `${volume.name}${suffix}` })),
    upper: isCasper ? "upper" : "rw",
    inFilesystems: storage.includes("filesystem"),
    inside: storage.filter((one) => one !== "filesystem"),
    path: settings.persistencePath ?? "",
    among: settings.persistenceMedia ?? "all",
    unencrypted: encryption.includes("none"),
    encrypted: encryption.includes("luks"),
    // No parameter names a device: a medium with "persistence" in each entry of its menu starts without a volume too.
    policy: settings.overlayPolicy ?? "fallback",
    readOnly: settings.persistenceReadOnly === true || settings.overlayReadOnly === true,
  };
}

/** Formats it for `levain plan`. */
export function formatPersistence(plan: PersistencePlan | null): string | null {
  if (plan === null) return null;
  const { volumes, inFilesystems, inside, path, among, unencrypted, encrypted, readOnly } = plan;
  const isFound = (one: "file" | "directory", text: string) => inside.includes(one) && `${text} in ${path || "/"}`;
  const kinds = onlyTexts(
    inFilesystems && "filesystems",
    isFound("file", "files"),
    isFound("directory", "directories"),
  );
  const disks = { all: null, removable: "only on removable disks", usb: "only on USB" }[among];
  const crypt = encrypted && (unencrypted ? "in LUKS or not" : "in LUKS");
  const names = volumes.map(({ name }) => name).join(", ");
  return onlyTexts(`${kinds.join(" and ")} named ${names}`, disks, crypt, readOnly && "changes go to memory").join(
    "; ",
  );
}
