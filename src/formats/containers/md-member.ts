import { be32, decodeLatin1, formatUuid, le16, le32, le64 } from "../bytes.ts";
import type { ByteSource } from "../facts.ts";
import { untilNul } from "../tags.ts";

/** What a device is in its array: the place of its data (raid_disk), or none. */
export type ArrayRole = number | "spare" | "faulty" | "journal";

/** A member's superblock: what the array is, and how this member saw it last. */
export interface ArrayMember {
  readonly metadata: "0.90" | "1.0" | "1.1" | "1.2";
  /** As in blkid's UUID. */
  readonly uuid: string;
  /** As mdadm gave it, with the name of its host before a colon; "" for 0.90, which has none. */
  readonly name: string;
  /** The minor number that 0.90 asks for; null for 1.x. */
  readonly minor: number | null;
  /** -1 (linear), 0, 1, 4, 5, 6 or 10. */
  readonly level: number;
  /** Of RAID 10: near copies in the lowest byte, far copies in the next. */
  readonly layout: number;
  /** raid_disks: how many members hold data. */
  readonly disks: number;
  /** Raised by each change of the array; a member with fewer was absent. */
  readonly events: bigint;
  readonly role: ArrayRole;
  /** False if the array was not stopped cleanly: its redundancy has to be made again. */
  readonly isClean: boolean;
  readonly isReshaping: boolean;
  /** Data go through a device of its own first. */
  readonly hasJournal: boolean;
}

// Specs: mdp_superblock_s and mdp_superblock_1 of linux/raid/md_p.h.
const MAGIC = 0xa92b4efc;
const RESERVED_BYTES = 64 * 1024;
const SUPERBLOCK_BYTES = 4096;
const ROLES_AT = 256;
const [RESHAPE_ACTIVE, JOURNAL] = [4, 512];
const [SPARE, FAULTY, JOURNAL_ROLE] = [0xffff, 0xfffe, 0xfffd];
const CLEAN = 1;
const NO_RESHAPE = 0xffff_ffff_ffff_ffffn;
const alignDown = (value: number, unit: number) => value - (value % unit);

/** Reads the superblock of a member of an array; null if there is none. The order is that of the probe, which has checked it. */
export function readArrayMember(source: ByteSource): ArrayMember | null {
  const { size } = source;
  return (
    readVersion0(source.read(Math.max(0, alignDown(size, RESERVED_BYTES) - RESERVED_BYTES), SUPERBLOCK_BYTES)) ??
    readVersion1(source.read(Math.max(0, alignDown(size, 4096) - 8192), SUPERBLOCK_BYTES), "1.0") ??
    readVersion1(source.read(0, SUPERBLOCK_BYTES), "1.1") ??
    readVersion1(source.read(4096, SUPERBLOCK_BYTES), "1.2")
  );
}

/** Version 0.90 is in the byte order of the machine that made it. */
function readVersion0(sb: Uint8Array): ArrayMember | null {
  const isLittle = le32(sb, 0) === MAGIC;
  if ((!isLittle && be32(sb, 0) !== MAGIC) || sb.length < SUPERBLOCK_BYTES) return null;
  const word = (index: number) => (isLittle ? le32 : be32)(sb, index * 4);
  const isOld = word(2) < 90;
  const id = new DataView(new ArrayBuffer(16));
  for (const [place, at] of (isOld ? [5] : [5, 13, 14, 15]).entries()) id.setUint32(place * 4, word(at));
  // The least significant word comes first in the order of the machine.
  const wide = (at: number) => (BigInt(word(isLittle ? at + 1 : at)) << 32n) | BigInt(word(isLittle ? at : at + 1));
  const state = word(THIS_DISK + 4);
  return {
    metadata: "0.90",
    uuid: formatUuid(new Uint8Array(id.buffer)),
    name: "",
    minor: word(11),
    level: word(7) | 0,
    layout: word(64),
    disks: word(10),
    events: wide(39),
    role: roleOfState(state, word(THIS_DISK + 3)),
    isClean: (word(33) & CLEAN) !== 0,
    isReshaping: word(2) > 90 && wide(44) !== NO_RESHAPE,
    hasJournal: false,
  };
}

/** The description of the member itself is the last of the superblock's 4096 bytes: number, major, minor, place, state. */
const THIS_DISK = 992;
const [STATE_FAULTY, STATE_SYNC] = [1, 4];

function roleOfState(state: number, place: number): ArrayRole {
  if ((state & STATE_FAULTY) !== 0) return "faulty";
  return (state & STATE_SYNC) === 0 ? "spare" : place;
}

function readVersion1(sb: Uint8Array, metadata: "1.0" | "1.1" | "1.2"): ArrayMember | null {
  if (sb.length < SUPERBLOCK_BYTES || le32(sb, 0) !== MAGIC || le32(sb, 4) !== 1) return null;
  const features = le32(sb, 8);
  return {
    metadata,
    uuid: formatUuid(sb.subarray(16, 32)),
    name: decodeLatin1(untilNul(sb.subarray(32, 64))).trimEnd(),
    minor: null,
    level: le32(sb, 72) | 0,
    layout: le32(sb, 76),
    disks: le32(sb, 92),
    events: le64(sb, 200),
    role: readRole(sb),
    isClean: le64(sb, 208) === NO_RESHAPE,
    isReshaping: (features & RESHAPE_ACTIVE) !== 0,
    hasJournal: (features & JOURNAL) !== 0,
  };
}

/** A member that the list of roles does not have, or that lies beyond what was read, is a spare: so to the kernel. */
function readRole(sb: Uint8Array): ArrayRole {
  const number = le32(sb, 160);
  const at = ROLES_AT + number * 2;
  const role = number < le32(sb, 220) && at + 2 <= sb.length ? le16(sb, at) : SPARE;
  if (role === SPARE) return "spare";
  if (role === FAULTY) return "faulty";
  return role === JOURNAL_ROLE ? "journal" : role;
}
