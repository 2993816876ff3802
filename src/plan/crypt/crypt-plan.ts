import type { CryptSettings, PlainFormat } from "../../parameters/crypt/settings.ts";
import type { DeviceSpec } from "../../parameters/device-spec.ts";

/** What is unlocked before the search for the root, and how. */
export interface CryptPlan {
  /** rd.luks=0: nothing is unlocked, not even a root= that is a LUKS volume. */
  readonly isOff: boolean;
  /** In the order of the parameters; every device at most once. */
  readonly volumes: readonly CryptVolume[];
  /** rd.auto: every LUKS volume that appears is unlocked as well, as `luks-UUID`. */
  readonly everyLuks: boolean;
  /** For a LUKS volume that no parameter names: one found by `everyLuks`, a root= that is a LUKS volume, and such an image. */
  readonly unnamed: CryptSettings;
}

/** An encrypted volume to unlock. */
export interface CryptVolume extends CryptSettings {
  /** The device with the LUKS header or, if it has none (`plain`, `header`), with the data. */
  readonly device: DeviceSpec;
  /** Of /dev/mapper/NAME; null: luks-UUID. */
  readonly name: string | null;
  /** null: LUKS. */
  readonly plain: PlainFormat | null;
  /** crypttab's nofail: the boot goes on without it if it can. */
  readonly isOptional: boolean;
}
