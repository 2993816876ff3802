import { BootError } from "../../problems/errors.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The text as it is. It is part of a device-mapper table and of names of devices and keys, where any other text could say more than
 * it should; libcryptsetup makes no device of it either (dm_prepare_uuid, by libuuid's uuid_parse). Throws BootError for what is no UUID.
 */
export function requireUuid(text: string): string {
  if (!UUID.test(text)) throw new BootError("its UUID is none");
  return text;
}
