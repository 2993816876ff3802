import { CHEAP, CHEAP_ARGON2, type CryptsetupRecipe } from "./cryptsetup-image.ts";

const SMALL = "--luks2-keyslots-size 1m --offset 4096";

/** The few real headers that unit tests begin with; each is made in a tenth of a second. */
export const BASE = {
  luks1: { name: "base-luks1", script: `cryptsetup luksFormat -q --type luks1 ${CHEAP} $1 key` },
  /** Keyslot 0 of a 512-bit key with PBKDF2, segment 0 from 2 MiB to the end in sectors of 4096 bytes. */
  luks2: {
    name: "base-luks2",
    script: `cryptsetup luksFormat -q --type luks2 ${SMALL} --sector-size 4096 --label base --pbkdf pbkdf2 ${CHEAP} $1 key`,
  },
  /** Keyslots 0 ("one", ignored), 1 ("pass"), 2 ("pass", preferred), with Argon2id, PBKDF2, Argon2i. */
  keyslots: {
    name: "base-keyslots",
    script: `printf one > k1; cryptsetup luksFormat -q --type luks2 ${SMALL} --pbkdf argon2id ${CHEAP_ARGON2} $1 k1
      cryptsetup luksAddKey -q --pbkdf pbkdf2 ${CHEAP} --key-slot 1 --key-file k1 $1 key
      cryptsetup luksAddKey -q --pbkdf argon2i ${CHEAP_ARGON2} --key-slot 2 --key-file k1 $1 key
      cryptsetup config --priority ignore --key-slot 0 $1
      cryptsetup config --priority prefer --key-slot 2 $1`,
  },
} as const satisfies Record<string, CryptsetupRecipe>;
