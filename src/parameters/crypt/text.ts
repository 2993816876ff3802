import * as v from "valibot";
import { BootError } from "../../problems/errors.ts";
import type { DeviceSpec } from "../device-spec.ts";
import { DEVICE_SPEC_FORMS, parseDeviceSpec } from "../device-spec.ts";

/*
 * The small parts that the words of unlocking are made of. Every parser throws a BootError whose message is what was
 * expected, to be read after "Expected".
 */

/** A schema for a parameter's text from a parser of this kind. */
export function parsedBy<T>(parse: (text: string) => T): v.GenericSchema<string, T> {
  return v.pipe(
    v.string(),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(dataset.value);
      } catch (error) {
        if (!(error instanceof BootError)) throw error;
        addIssue({ message: error.message });
        return NEVER;
      }
    }),
  );
}

/** A parser's error. */
export function expected(what: string): BootError {
  return new BootError(what);
}

const UUID_SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_SAMPLE = "00000000-0000-0000-0000-000000000000";

/** True for a whole UUID, false for its beginning. */
export function isWholeUuid(id: string): boolean {
  return UUID_SHAPE.test(id);
}

/**
 * A LUKS UUID or its beginning of four digits or more (dracut), in lower case, without a "luks-" in front (dracut,
 * systemd) and without dracut's "keysource:".
 */
export function parseLuksId(text: string): string {
  const id = text
    .replace(/^keysource:/, "")
    .replace(/^luks-/i, "")
    .toLowerCase();
  if (id.length < 4 || !UUID_SHAPE.test(id + UUID_SAMPLE.slice(id.length))) {
    throw expected("the UUID of a LUKS volume, or its beginning of at least 4 digits");
  }
  return id;
}

/** "UUID=rest" as both; null for the id where the text does not begin with one. */
export function splitLuksId(text: string): { id: string | null; rest: string } {
  const [, front, rest] = /^((?:luks-)?[0-9a-f-]{4,})=(.*)$/is.exec(text) ?? [];
  return front === undefined || rest === undefined ? { id: null, rest: text } : { id: parseLuksId(front), rest };
}

/** The same, where the id must be there. */
export function splitOwnLuksId(text: string, syntax: string): { id: string; rest: string } {
  const { id, rest } = splitLuksId(text);
  if (id === null || rest === "") throw expected(syntax);
  return { id, rest };
}

/** How a LUKS volume with this id is found. */
export function luksDevice(id: string): DeviceSpec {
  return isWholeUuid(id) ? { by: "uuid", value: id } : { by: "luks", prefix: id };
}

// DM_NAME_LEN is 128 with its NUL; libdevmapper writes any other character as \xNN, and udev's links would differ.
const NAME = /^[\w#+.:=@-]{1,127}$/;

/** What /dev/mapper/NAME can be. */
export function parseMapperName(text: string): string {
  if (!NAME.test(text) || /^(?:\.{1,2}|control)$/.test(text)) {
    throw expected("a name for /dev/mapper of letters, digits and #+-.:=@_, without a slash");
  }
  return text;
}

/** One of the forms that begin with /dev/ or a tag; not a number, which would look like a name. */
export function parseSpelledDevice(text: string): DeviceSpec {
  const device = isDeviceText(text) ? parseDeviceSpec(text) : null;
  if (device === null) throw expected(DEVICE_SPEC_FORMS.replace(" or major:minor", ""));
  return device;
}

/** True for what can only be meant as a device. */
export function isDeviceText(text: string): boolean {
  return /^(?:\/dev\/|(?:LABEL|UUID|PARTUUID|PARTLABEL|SIBLING)=)/i.test(text);
}

/** What a device begins with that has colons of its own: a number, the places of buses below by-path, udev's name of a USB disk. */
const WITH_COLONS = [
  /^\d+:\d+(?=:)/,
  /^\/dev\/disk\/by-path\/(?:[0-9a-f]+:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]|usb(?:v\d)?-\d+:[\d.]+:\d+\.\d+|scsi-\d+:\d+:\d+:\d+|[^:])+/i,
  /^\/dev\/disk\/by-id\/usb-[^:]+-\d+:\d+(?:-part\d+)?(?=:)/,
];

/** "DEVICE:NAME[:REST]"; the device may have colons of its own, as in SIBLING=2:LABEL=x. */
export function splitDeviceAndName(text: string, syntax: string): { device: DeviceSpec; name: string; rest: string } {
  const front = /^SIBLING=[^:]*:/i.exec(text)?.[0] ?? "";
  const all = text.slice(front.length);
  const own = WITH_COLONS.map((pattern) => pattern.exec(all)?.[0]).find((found) => found !== undefined);
  const [device = "", name, ...rest] =
    own === undefined ? all.split(":") : [own, ...all.slice(own.length + 1).split(":")];
  if (name === undefined || own === all) throw expected(syntax);
  const spec = /^\d+:/.test(device) ? parseDeviceSpec(front + device) : parseSpelledDevice(front + device);
  if (spec === null) throw expected(DEVICE_SPEC_FORMS);
  return { device: spec, name: parseMapperName(name), rest: rest.join(":") };
}

/** A whole number from `least` to `most`. */
export function parseWhole(text: string, what: string, least: number, most: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw expected(`${what} from ${least} to ${most}`);
  return value;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ...{ "": 1000, s: 1000, sec: 1000, second: 1000, seconds: 1000, ms: 1, msec: 1 },
  ...{ m: 60_000, min: 60_000, minute: 60_000, minutes: 60_000, h: 3_600_000, hr: 3_600_000, hour: 3_600_000 },
};
/** The longest wait that poll(2) can be told. */
const MOST_MS = 2_147_483_000;

/** A span of time as systemd.time(7) writes it ("90", "1min 30s", "500ms") in milliseconds; null for 0: for ever. */
export function parseTimeSpan(text: string, what: string): number | null {
  const parts = [...text.matchAll(/(\d{1,10}(?:\.\d{1,3})?)\s*([a-z]*)\s*/gy)];
  const isWhole = text !== "" && parts.map(([part]) => part).join("") === text;
  const spans = parts.map(([, amount, unit = ""]) => Number(amount) * (UNIT_MS[unit] ?? Number.NaN));
  const sum = Math.round(spans.reduce((total, span) => total + span, 0));
  if (!isWhole || !(sum <= MOST_MS)) throw expected(`${what} as a time, as 30 or 1min 30s`);
  return sum === 0 ? null : sum;
}
