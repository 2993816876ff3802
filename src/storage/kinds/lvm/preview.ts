import { type BlockDevice, readSectorSize } from "../../../devices/block-devices.ts";
import { SLOW_MS } from "../../../devices/device-probe.ts";
import { createPatientSource, NoAnswerError } from "../../../devices/patient-source.ts";
import { createReadHabit, type ReadHabit } from "../../../devices/read-habit.ts";
import { rememberEach } from "../../../devices/remember.ts";
import type { ExamineOptions } from "../../../formats/area.ts";
import type { LogicalVolume } from "../../../formats/lvm/volume-group.ts";
import { type ProbeResult, probe } from "../../../formats/probe.ts";
import type { ReadPlace } from "../../../machine/async.ts";
import type { Machine } from "../../../machine/machine.ts";
import type { DeviceSpec } from "../../../parameters/device-spec.ts";
import { isErrno } from "../../../problems/errors.ts";
import type { StorageContext, StoragePlan } from "../../contract.ts";
import { matchDevices } from "../../match.ts";
import { isPool } from "../pools.ts";
import type { JudgedGroup } from "./judge.ts";
import { joinPieces, type Pieces, piecesOf, placesIn } from "./pieces.ts";
import { listSpecs, type VolumeTest, volumeOf } from "./wanted.ts";

type Group = JudgedGroup<BlockDevice>;

/**
 * Returns a test for the volumes that have to be activated to see what is in them. Of a linear volume on one disk, the content is read
 * where it lies on the physical volume: of a thousand volumes, only the one with the label is activated, and nothing waits for a
 * thousand devices. A volume passes if it matches, if something else may have to be opened in it, and if its content could not be read.
 */
export function createPreview({ machine }: Pick<StorageContext, "machine">, plan: StoragePlan): VolumeTest<Group> {
  const specs = listSpecs(plan);
  if (!isDecidedByContent(plan, specs)) return () => true;
  const habit = createReadHabit();
  const sectorSizeOf = rememberEach((disk: BlockDevice) => readSectorSize(machine, disk.partition?.disk ?? disk.name));
  // A group whose members change is another object.
  const known = new WeakMap<Group, Map<LogicalVolume, boolean>>();
  /** They are not waited for once for each volume. */
  const silent = new WeakSet<BlockDevice>();

  function isNeeded(judged: Group, volume: LogicalVolume): boolean {
    const pieces = piecesOf(judged, volume);
    if (pieces === null || silent.has(pieces.device)) return true;
    const area = { kind: "disk", sectorSize: sectorSizeOf(pieces.device) } as const;
    const found = readContent(machine, pieces, area, habit);
    if (found === "no answer") silent.add(pieces.device);
    return found === null || found === "no answer" || mayMatter(found, specs);
  }

  return (judged, volume) => {
    const answers = known.get(judged) ?? new Map<LogicalVolume, boolean>();
    known.set(judged, answers);
    const answer = answers.get(volume) ?? isNeeded(judged, volume);
    answers.set(volume, answer);
    return answer;
  };
}

/** True if a probe tells whether a volume is what the plan looks for: not if files decide, a number, or a root hash, nor if everything is listed. */
function isDecidedByContent({ verity, integrity }: StoragePlan, specs: readonly DeviceSpec[]): boolean {
  const isDecided = (spec: DeviceSpec) =>
    ["label", "uuid", "luks", "partlabel", "partuuid"].includes(spec.by) || volumeOf(spec) !== null;
  return specs.length > 0 && verity.length === 0 && integrity.length === 0 && specs.every(isDecided);
}

/** False for a filesystem without the label, and for no known content. */
function mayMatter(found: ProbeResult, specs: readonly DeviceSpec[]): boolean {
  const { type, usage, ambivalent } = found;
  const isAlone = type === null || (usage === "filesystem" && !isPool(type));
  if (!isAlone || ambivalent.length > 0) return true;
  const device = { name: "", node: "", number: "", sizeBytes: 0, partition: null, facts: found, unreadable: null };
  return specs.some((spec) => matchDevices(spec, [device], NO_LOOK).length > 0);
}

const NO_LOOK = {
  name: () => ({ uuid: null, label: null, autoType: null }),
  links: () => [],
  holds: () => false,
};

/** Probes a volume through its physical volume; null if that cannot be read. */
function readContent(machine: Machine, pieces: Pieces, area: Required<ExamineOptions>, habit: ReadHabit) {
  const { device, sizeBytes } = pieces;
  const entry = { sizeBytes, area };
  const first = habit.placesFor(entry).flatMap((place) => placesIn(pieces, place));
  const options = { first, isBrief: first.length > 1, mayLinger: true };
  const source = createPatientSource(machine, device.node, options);
  try {
    source.allow(SLOW_MS, "all answers");
    const places: ReadPlace[] = [];
    const found = source.gather((read) => {
      places.length = 0;
      return probe(
        {
          size: sizeBytes,
          read(offset, length) {
            places.push({ offset, length });
            return joinPieces(placesIn(pieces, { offset, length }), read);
          },
        },
        area,
      );
    });
    habit.learn(entry, places);
    return source.refusal() === undefined ? found : null;
  } catch (error) {
    if (error instanceof NoAnswerError) return "no answer";
    if (!isErrno(error)) throw error;
    return null;
  } finally {
    source.close();
  }
}
