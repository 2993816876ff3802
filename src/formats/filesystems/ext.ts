import { le16, le32 } from "../bytes.ts";
import type { Magic, Signature, Usage } from "../signature.ts";
import { addBlockSize, addLabel, addTag, addUuid, addVersion, type Tags } from "../tags.ts";

// struct ext2_super_block (fs/ext4/ext4.h), 1 KiB from the start.
const HAS_JOURNAL = 0x0004;
const JOURNAL_DEVICE = 0x0008;
const TEST_FILESYSTEM = 0x0004;
// What the drivers ext2 and ext3 understand; anything else makes it ext4.
const EXT_RO_COMPAT = 0x0007;
const EXT2_INCOMPAT = 0x0012;
const EXT3_INCOMPAT = 0x0016;

const MAGICS: readonly Magic[] = [{ text: "\x53\xef", at: 1024 + 0x38 }];

interface Features {
  readonly compat: number;
  readonly incompat: number;
  readonly roCompat: number;
  readonly flags: number;
}

type Check = (features: Features) => boolean;

const hasUnknown = (features: Features, incompat: number) =>
  (features.roCompat & ~EXT_RO_COMPAT) !== 0 || (features.incompat & ~incompat) !== 0;
const hasJournal = ({ compat }: Features) => (compat & HAS_JOURNAL) !== 0;
const isJournal = ({ incompat }: Features) => (incompat & JOURNAL_DEVICE) !== 0;
const isTest = ({ flags }: Features) => (flags & TEST_FILESYSTEM) !== 0;

function extSignature(type: string, usage: Usage, check: Check): Signature {
  return {
    type,
    usage,
    magics: MAGICS,
    read(area, tags) {
      const sb = area.bytes(1024, 512);
      if (sb === null) {
        return false;
      }
      const features = {
        compat: le32(sb, 0x5c),
        incompat: le32(sb, 0x60),
        roCompat: le32(sb, 0x64),
        flags: le32(sb, 0x160),
      };
      if (!check(features)) {
        return false;
      }
      addExtTags(sb, features, type, tags);
      return true;
    },
  };
}

function addExtTags(sb: Uint8Array, features: Features, type: string, tags: Tags): void {
  addLabel(tags, sb.subarray(0x78, 0x88));
  addUuid(tags, sb.subarray(0x68, 0x78));
  if (hasJournal(features)) {
    addUuid(tags, sb.subarray(0xd0, 0xe0), "EXT_JOURNAL");
  }
  const isPlain = type === "ext2" || type === "jbd";
  if (!isPlain && (features.incompat & ~EXT2_INCOMPAT) === 0) {
    addTag(tags, "SEC_TYPE", "ext2");
  }
  addVersion(tags, `${le32(sb, 0x4c)}.${le16(sb, 0x3e)}`);
  const log = le32(sb, 0x18);
  if (log < 32) {
    addBlockSize(tags, (1024 << log) >>> 0);
  }
  if (type === "jbd") {
    addUuid(tags, sb.subarray(0x68, 0x78), "LOGUUID");
  }
}

/** ext4 under development: a flag says that only such a driver may touch it. */
export const ext4dev = extSignature("ext4dev", "filesystem", (f) => !isJournal(f) && isTest(f));

/** ext4: at least one feature that ext3 does not know. */
export const ext4 = extSignature(
  "ext4",
  "filesystem",
  (f) => !isJournal(f) && hasUnknown(f, EXT3_INCOMPAT) && !isTest(f),
);

/** ext3: ext2 with a journal. */
export const ext3 = extSignature("ext3", "filesystem", (f) => hasJournal(f) && !hasUnknown(f, EXT3_INCOMPAT));

/** ext2. */
export const ext2 = extSignature("ext2", "filesystem", (f) => !hasJournal(f) && !hasUnknown(f, EXT2_INCOMPAT));

/** A journal of ext3 or ext4 on a device of its own. */
export const jbd = extSignature("jbd", "other", isJournal);
