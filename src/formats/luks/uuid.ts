import { BootError } from "../../problems/errors.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Returns the text if it is a UUID, and throws BootError otherwise. It becomes part of a device-mapper table and of names of devices
 * and keys, into which any other text could inject something; libcryptsetup refuses it too (dm_prepare_uuid, by libuuid's uuid_parse).
 */
export function requireUuid(text: string): string {
  if (!UUID.test(text)) throw new BootError("its UUID is not valid");
  return text;
}
