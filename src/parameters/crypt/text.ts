import { isUuid } from "../../formats/bytes.ts";
import { DEVICE_SPEC_FORMS, type DeviceSpec, parseDeviceSpec } from "../device-spec.ts";
import { Expected, matching } from "../parse.ts";

/* The parts that the values for encrypted devices are made of. Every parser throws Expected. */

const UUID_SAMPLE = "00000000-0000-0000-0000-000000000000";

/**
 * Parses a LUKS UUID or its beginning of four digits or more (dracut), in lower case, without a "luks-" in front
 * (dracut, systemd) and without dracut's "keysource:".
 */
export function parseLuksId(text: string): string {
  const id = text
    .replace(/^keysource:/, "")
    .replace(/^luks-/i, "")
    .toLowerCase();
  if (id.length < 4 || !isUuid(id + UUID_SAMPLE.slice(id.length))) {
    throw new Expected("the UUID of a LUKS volume, or its beginning of at least 4 digits");
  }
  return id;
}

/** Splits "UUID=rest"; the id is null if the text does not begin with one. */
export function splitLuksId(text: string): { id: string | null; rest: string } {
  const [, front, rest] = /^((?:luks-)?[0-9a-f-]{4,})=(.*)$/is.exec(text) ?? [];
  return front === undefined || rest === undefined ? { id: null, rest: text } : { id: parseLuksId(front), rest };
}

/** Returns the device that holds the LUKS volume with this id. */
export function luksDevice(id: string): DeviceSpec {
  return isUuid(id) ? { by: "uuid", value: id } : { by: "luks", prefix: id };
}

// DM_NAME_LEN is 128 with its NUL; libdevmapper writes any other character as \xNN, and udev's links would differ.
const NAME = /^(?!\.{1,2}$|control$)[\w#+.:=@-]{1,127}$/;

/** Parses the NAME of /dev/mapper/NAME. */
export const parseMapperName = matching(
  "a name for /dev/mapper of letters, digits and #+-.:=@_, without a slash",
  NAME,
);

/** Parses a device that begins with /dev/ or a tag; a number could be mistaken for a name. */
export function parseSpelledDevice(text: string): DeviceSpec {
  const device = isDeviceText(text) ? parseDeviceSpec(text) : null;
  if (device === null) throw new Expected(DEVICE_SPEC_FORMS.replace(" or major:minor", ""));
  return device;
}

/** True for text that can only mean a device. */
export function isDeviceText(text: string): boolean {
  return /^(?:\/dev\/|(?:LABEL|UUID|PARTUUID|PARTLABEL|SIBLING)=)/i.test(text);
}

/** The beginning of a device that contains colons: a number, the bus addresses below by-path, udev's name of a USB disk. */
const WITH_COLONS = [
  /^\d+:\d+(?=:)/,
  /^\/dev\/disk\/by-path\/(?:[0-9a-f]+:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]|usb(?:v\d)?-\d+:[\d.]+:\d+\.\d+|scsi-\d+:\d+:\d+:\d+|[^:])+/i,
  /^\/dev\/disk\/by-id\/usb-[^:]+-\d+:\d+(?:-part\d+)?(?=:)/,
];

/** Splits "DEVICE:NAME[:REST]"; the device may contain colons, as in SIBLING=2:LABEL=x. */
export function splitDeviceAndName(text: string, syntax: string): { device: DeviceSpec; name: string; rest: string } {
  const front = /^SIBLING=[^:]*:/i.exec(text)?.[0] ?? "";
  const all = text.slice(front.length);
  const own = WITH_COLONS.map((pattern) => pattern.exec(all)?.[0]).find((found) => found !== undefined);
  const [device = "", name, ...rest] =
    own === undefined ? all.split(":") : [own, ...all.slice(own.length + 1).split(":")];
  if (name === undefined || own === all) throw new Expected(syntax);
  const spec = /^\d+:/.test(device) ? parseDeviceSpec(front + device) : parseSpelledDevice(front + device);
  if (spec === null) throw new Expected(DEVICE_SPEC_FORMS);
  return { device: spec, name: parseMapperName(name), rest: rest.join(":") };
}
