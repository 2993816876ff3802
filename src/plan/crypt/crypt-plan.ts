import type { CryptSettings, PlainFormat } from "../../parameters/crypt/settings.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";

/** What is to be unlocked before the root is looked for, and how. */
export interface CryptPlan {
  /** rd.luks=0: nothing at all is opened, not even a root= that is a LUKS volume. */
  readonly isOff: boolean;
  /** In the order in which they were asked for; every device at most once. */
  readonly volumes: readonly CryptVolume[];
  /** rd.auto: every LUKS volume that appears is unlocked as well, as `luks-UUID`. */
  readonly everyLuks: boolean;
  /**
   * What holds for a LUKS volume that nobody has named: one found by `everyLuks`, a root= that is itself a LUKS volume, and an
   * image that is one.
   */
  readonly unnamed: CryptSettings;
}

/** An encrypted volume that was asked for. */
export interface CryptVolume extends CryptSettings {
  /** What holds the LUKS header or, without one of its own (`plain`, `header`), the data. */
  readonly device: DeviceSpec;
  /** Of /dev/mapper/NAME; null: luks-UUID. */
  readonly name: string | null;
  /** null: LUKS. */
  readonly plain: PlainFormat | null;
  /** crypttab's nofail: a boot that can do without it does. */
  readonly isOptional: boolean;
}
