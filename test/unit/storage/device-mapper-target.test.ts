import { describe, expect, test } from "bun:test";
import { requireTarget } from "../../../src/storage/device-mapper/mapping.ts";
import { listCipherAliases } from "../../../src/storage/kinds/crypt/dm-crypt.ts";

describe("what a cipher is made of, as the kernel asks modprobe", () => {
  test.each([
    ["aes-xts-plain64", "crypto-aes crypto-xts crypto-ecb"],
    ["aes-cbc-essiv:sha256", "crypto-aes crypto-cbc crypto-essiv crypto-sha256"],
    ["serpent-xts-plain64", "crypto-serpent crypto-xts crypto-ecb"],
    ["aes-cbc-null", "crypto-aes crypto-cbc"],
    ["aes-cbc-eboiv", "crypto-aes crypto-cbc"],
    [
      "capi:authenc(hmac(sha256),xts(aes))-random",
      "crypto-authenc crypto-hmac crypto-sha256 crypto-xts crypto-aes crypto-ecb",
    ],
    ["capi:gcm(aes)-random", "crypto-gcm crypto-aes"],
    ["xchacha12,aes-adiantum-plain64", "crypto-xchacha12 crypto-aes crypto-adiantum"],
  ])("%s", (cipher, aliases) => {
    expect(listCipherAliases(cipher).join(" ")).toBe(aliases);
  });
});

describe("a target of device mapper", () => {
  test("is asked for twice at most: its modules are loaded in between", () => {
    const loaded: string[] = [];
    const drivers = {
      loadByName(name: string) {
        loaded.push(name);
        return "ready" as const;
      },
    };
    const version = (type: string) => (loaded.includes(`dm-${type}`) ? ([1, 24, 0] as const) : null);
    const machine = { mappingTargetVersion: version } as unknown as Parameters<typeof requireTarget>[0]["machine"];
    expect(requireTarget({ machine, drivers }, "crypt")).toEqual([1, 24, 0]);
    expect(loaded).toEqual(["dm-mod", "dm-crypt"]);
    expect(requireTarget({ machine, drivers }, "crypt")).toEqual([1, 24, 0]);
    expect(loaded).toHaveLength(2);
    expect(() => requireTarget({ machine, drivers }, "linear", "dm-mod")).toThrow("this kernel has no dm-mod");
  });
});
