import { deepEqual } from "node:assert/strict";
import type { MappingRequest, MappingTarget } from "../../src/machine/encryption.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { encryptSectors, type FakeCipher } from "../support/fake-crypt.ts";
import { counting } from "./kernel-ciphers.ts";

/** What most of the volumes are encrypted with. */
export const XTS = { cipher: "aes-xts-plain64", key: counting(64, 9) } as const;
/** What is in them. */
export const PLAIN = counting(16 * 512, 1);

export function tableLine(type: string, sectors: number, parameters: string, startSector = 0): MappingTarget {
  return { startSector, sectors, type, parameters: Buffer.from(parameters) };
}

export function mappingOf(name: string, target: MappingTarget, rest: Partial<MappingRequest> = {}): MappingRequest {
  return { name, uuid: `CRYPT-TEST-${name}`, readOnly: false, targets: [target], ...rest };
}

/** A loop device that holds `plain`, encrypted. */
export function attachEncrypted(machine: Machine, directory: string, how: FakeCipher, plain: Uint8Array): string {
  return attachBytes(machine, directory, encryptSectors(how, plain));
}

export function attachBytes(machine: Machine, directory: string, bytes: Uint8Array): string {
  machine.writeFile(`${directory}/volume`, bytes);
  return machine.attachLoop({ file: `${directory}/volume`, readOnly: false });
}

/** dm-crypt's words for the whole of `device`; `key` is as it stands in a table. */
export function cryptLine(how: FakeCipher, device: string, bytes: number, key = how.key.toHex()): MappingTarget {
  const { cipher, ivOffset = 0, sectorBytes = 512 } = how;
  const options = sectorBytes === 512 ? "" : ` 1 sector_size:${sectorBytes}`;
  return tableLine("crypt", bytes / 512, `${cipher} ${key} ${ivOffset} ${device} 0${options}`);
}

export function readDevice(machine: Machine, path: string): Buffer {
  const reader = machine.openReader(path);
  try {
    return Buffer.from(reader.read(0, reader.size));
  } finally {
    reader.close();
  }
}

/** Asserts that no mapping is there, and nothing of one. */
export function expectNoMapping(machine: Machine): void {
  deepEqual(machine.listMappings(), []);
  deepEqual(machine.listDirectory("/dev/mapper"), ["control"]);
  for (const directory of ["/dev", "/sys/class/block"]) {
    deepEqual(
      machine.listDirectory(directory).filter((name) => name.startsWith("dm-")),
      [],
    );
  }
}
