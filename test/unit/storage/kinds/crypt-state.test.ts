import { describe, expect, test } from "bun:test";
import type { BlockDevice } from "../../../../src/devices/block-devices.ts";
import type { Mapping } from "../../../../src/machine/encryption.ts";
import type { BytesPlace } from "../../../../src/parameters/crypt/settings.ts";
import type { CryptVolume } from "../../../../src/plan/crypt/crypt-plan.ts";
import { BootError } from "../../../../src/problems/errors.ts";
import type { Lock } from "../../../../src/storage/kinds/crypt/lock.ts";
import {
  type Action,
  begun,
  isOutOfTries,
  nextAction,
  nextDevice,
  pendingKeys,
  untriedKeys,
  type View,
} from "../../../../src/storage/kinds/crypt/next-action.ts";
import * as state from "../../../../src/storage/kinds/crypt/state.ts";

const KEY: BytesPlace = { in: "image", device: null, path: "/k", type: null, offset: 0, size: null };
const LOCK = { name: "root", text: "LUKS2", isGuess: false } as Lock;
const MAPPING = { name: "root", uuid: "CRYPT-LUKS2-1-root", device: "dm-0" } as Mapping;
const WISH = {
  ...{ device: { by: "label", value: "VAULT" }, name: "root", plain: null, isOptional: false },
  ...{ header: null, keys: [], keyTimeoutMs: 1000, keyslot: null, tries: 3, promptTimeoutMs: null },
} as unknown as CryptVolume;
const [ONE, OTHER] = ["vda", "vdb"].map((name) => ({ name, node: `/dev/${name}` }) as BlockDevice);
if (ONE === undefined || OTHER === undefined) throw new Error("no devices");

const never = () => false;
const view = (change: Partial<View> = {}): View => ({
  ...{ passphrases: 0, found: [ONE], sources: () => [], nowMs: 0, done: new Set<Action["kind"]>(["prepare", "check"]) },
  ...change,
});
const fresh = (wish: Partial<CryptVolume> = {}) => state.newVolume({ ...WISH, ...wish }, "asked", 0);
const ready = (wish: Partial<CryptVolume> = {}, found: readonly BlockDevice[] = [ONE]) =>
  state.changeAttempt(state.seen(fresh(wish), found, 0, never), { lock: LOCK });

describe("the device of a volume", () => {
  test("is the first that matches, an open one, and then stays the same", () => {
    expect(state.seen(fresh(), [ONE, OTHER], 5, never)).toMatchObject({ attempt: { device: ONE }, sinceMs: 5 });
    const open = state.seen(fresh(), [ONE, OTHER], 5, (device) => device === OTHER);
    expect(open).toMatchObject({ attempt: { device: OTHER }, isAmbiguous: true });
    expect(state.seen(open, [ONE, OTHER], 9, never)).toMatchObject({ attempt: { device: OTHER }, sinceMs: 5 });
  });

  test("that goes takes all that is known of it along, even if the next has its name", () => {
    const gone = state.seen(begun(ready(), { kind: "passphrase", index: 0 }, [ONE]), [], 5, never);
    expect(gone).toMatchObject({ attempt: null, others: [] });
    const twin = { ...ONE };
    expect(state.seen(gone, [twin], 7, never).attempt).toMatchObject({ device: twin, lock: null, triedPassphrases: 0 });
  });

  test("keeps what was tried on it while another one is tried", () => {
    const tried = begun(ready({}, [ONE, OTHER]), { kind: "passphrase", index: 0 }, [ONE, OTHER]);
    const there = state.switched(tried, OTHER, [ONE, OTHER]);
    expect(there.attempt).toMatchObject({ device: OTHER, triedPassphrases: 0 });
    expect(state.switched(there, ONE, [ONE, OTHER]).attempt).toMatchObject({ device: ONE, triedPassphrases: 1 });
  });

  test("a new one starts the wait anew, and the last answer no longer counts as wrong", () => {
    const asked = state.asked(ready());
    expect(asked).toMatchObject({ asked: 1, wasWrong: true });
    expect(state.seen(asked, [OTHER], 9, never)).toMatchObject({ asked: 1, wasWrong: false, sinceMs: 9 });
  });
});

describe("what is done next", () => {
  const kind = (volume: state.Volume, change?: Partial<View>) => nextAction(volume, view(change)).kind;

  test("nothing without a device, or once it is open or has failed", () => {
    expect(kind(fresh())).toBe("rest");
    expect(kind(state.opened(ready(), MAPPING))).toBe("rest");
    expect(kind(state.failed(ready(), new BootError("no")))).toBe("rest");
  });

  test("first the header, then what the kernel lacks", () => {
    const seen = state.seen(fresh(), [ONE], 0, never);
    expect(kind(seen, { done: new Set() })).toBe("prepare");
    expect(kind(ready(), { done: new Set(["prepare"]) })).toBe("check");
  });

  test("keys are looked for only on account of a device that one of them can open: the search mounts filesystems", () => {
    const sources = () => {
      throw new Error("looked for keys");
    };
    const seen = state.seen(fresh({ keys: [KEY] }), [ONE], 0, never);
    expect(kind(fresh({ keys: [KEY] }), { sources })).toBe("rest");
    expect(kind(seen, { sources })).toBe("wait");
    expect(kind(state.changeAttempt(seen, { lock: LOCK }), { sources, done: new Set(["prepare"]) })).toBe("check");
    expect(() => kind(state.changeAttempt(seen, { lock: LOCK }), { sources })).toThrow("looked for keys");
  });

  test("a header on a device that is missing is waited for, but not forever", () => {
    const seen = state.seen(fresh(), [ONE], 0, never);
    expect(kind(seen, { nowMs: 999 })).toBe("wait");
    expect(kind(seen, { nowMs: 1000 })).toBe("rest");
    expect(kind(state.seen(fresh({ keyTimeoutMs: null }), [ONE], 0, never), { nowMs: 1e9 })).toBe("wait");
  });

  test("keys before passphrases, each once, then the user", () => {
    const source = { place: KEY, device: null };
    const volume = ready({ keys: [KEY] });
    const some = view({ sources: () => [source], passphrases: 1 });
    expect(nextAction(volume, some)).toEqual({ kind: "key", source });
    const tried = begun(volume, { kind: "key", source }, [ONE]);
    expect(nextAction(tried, some)).toEqual({ kind: "passphrase", index: 0 });
    expect(nextAction(begun(tried, { kind: "passphrase", index: 0 }, [ONE]), some)).toEqual({ kind: "ask" });
  });

  test("a key that is missing is waited for before the user is asked", () => {
    const volume = ready({ keys: [KEY] });
    expect(kind(volume, { nowMs: 0 })).toBe("wait");
    expect(kind(volume, { nowMs: 1000 })).toBe("ask");
  });

  test("every device that matches, before the user is asked again", () => {
    const both = { found: [ONE, OTHER], passphrases: 1 };
    const tried = begun(ready({}, [ONE, OTHER]), { kind: "passphrase", index: 0 }, [ONE, OTHER]);
    expect(nextAction(tried, view(both))).toEqual({ kind: "switch", device: OTHER });
    const refused = state.changeAttempt(begun(tried, { kind: "switch", device: OTHER }, [ONE, OTHER]), {
      isRefused: true,
    });
    expect(nextDevice(refused, both)).toBeNull();
  });

  test("gives up after as many tries as allowed, 0 for no limit", () => {
    const often = [1, 2, 3].reduce((volume) => state.asked(volume), ready());
    expect(kind(often)).toBe("give up");
    expect(isOutOfTries({ ...often, wish: { ...often.wish, tries: 0 } })).toBeFalse();
  });
});

test("a key is tried from at most 16 devices with its name, and is pending until one of them comes", () => {
  const devices = Array.from({ length: 20 }, (_, at) => ({ name: `sd${at}` }) as BlockDevice);
  const sources = devices.map((device) => ({ place: KEY, device }));
  let volume = ready({ keys: [KEY] });
  expect(pendingKeys(volume, [])).toEqual([KEY]);
  expect(pendingKeys(volume, sources)).toEqual([]);
  for (let turn = 0; turn < 16; turn++) {
    const [source] = untriedKeys(volume, sources);
    if (source !== undefined) volume = begun(volume, { kind: "key", source }, [ONE]);
  }
  expect(untriedKeys(volume, sources)).toEqual([]);
});
