import { diagnosis, inBootLoader, inShell } from "../diagnosis.ts";

const ASK_AGAIN = inShell("`exit` asks again; `levain unlock` asks in this shell");

/** What keeps an encrypted volume locked. */
export const CRYPT = {
  "volume-locked": diagnosis<{ readonly volume: string }>({ text: ({ volume }) => `could not unlock ${volume}` }),
  "encrypted-device-missing": diagnosis<{ readonly spec: string }>({
    text: ({ spec }) => `encrypted device ${spec} did not appear`,
  }),
  "header-missing": diagnosis<{ readonly place: string }>({
    text: ({ place }) => `the LUKS header ${place} did not appear`,
  }),
  "unlocking-is-off": diagnosis<{ readonly node: string }>({
    text: ({ node }) => `the root ${node} is encrypted, but rd.luks=0 forbids unlocking`,
    hints: () => [inShell("`levain retry rd.luks=1` unlocks it"), inBootLoader("remove rd.luks=0")],
  }),
  "passphrases-wrong": diagnosis<{ readonly count: number }>({
    text: ({ count }) => `${count === 1 ? "the passphrase is" : `${count} passphrases were`} wrong`,
    hints: () => [ASK_AGAIN],
  }),
  "passphrase-timeout": diagnosis<{ readonly seconds: number }>({
    text: ({ seconds }) => `no passphrase was typed within ${seconds} s`,
    hints: () => [ASK_AGAIN],
  }),
  "prompt-cancelled": diagnosis({ text: () => "the prompt was cancelled by Ctrl-C", hints: () => [ASK_AGAIN] }),
  "derivation-cancelled": diagnosis({ text: () => "cancelled by Ctrl-C", hints: () => [ASK_AGAIN] }),
  "derivation-device-gone": diagnosis({ text: () => "its device went away" }),
  "derivation-too-long": diagnosis<{ readonly took: string; readonly limit: string }>({
    text: ({ took, limit }) => `deriving the key was stopped after ${took}: max-kdf= allows ${limit}`,
    hints: () => [inBootLoader("rd.luks.options=max-kdf=0 removes the limit")],
  }),
  "no-integrity-superblock": diagnosis<{ readonly node: string; readonly tagBytes: number }>({
    text: ({ node, tagBytes }) => `no dm-integrity superblock on ${node} with tags of ${tagBytes} bytes`,
  }),
  "integrity-size-wrong": diagnosis<{ readonly node: string; readonly sectors: number }>({
    text: ({ node, sectors }) => `the dm-integrity superblock claims ${sectors} sectors, which ${node} does not have`,
  }),
  "place-unreadable": diagnosis<{ readonly place: string }>({ text: ({ place }) => `${place} cannot be read` }),
  "no-filesystem-for-key": diagnosis<{ readonly place: string; readonly node: string }>({
    text: ({ place, node }) => `there is no filesystem on ${node} for ${place}`,
  }),
  "no-key-file": diagnosis<{ readonly path: string; readonly node: string }>({
    text: ({ path, node }) => `there is no file ${path} on ${node}`,
  }),
  "key-too-large": diagnosis<{ readonly place: string }>({
    text: ({ place }) => `${place} is larger than any key: more than 8 MiB`,
    hints: () => [inBootLoader("select the bytes of the key by an offset and a size")],
  }),
  "key-empty": diagnosis<{ readonly place: string }>({ text: ({ place }) => `${place} is empty` }),
  "key-truncated": diagnosis<{ readonly place: string }>({ text: ({ place }) => `${place} ends before the key does` }),
  "key-too-short": diagnosis<{ readonly bytes: number; readonly keyBytes: number }>({
    text: ({ bytes, keyBytes }) => `the key file has ${bytes} bytes, but the key ${keyBytes}`,
  }),
  "data-beyond-device": diagnosis<{ readonly node: string }>({
    text: ({ node }) => `${node} is too small for the data`,
  }),
  "null-cipher": diagnosis<{ readonly cipher: string }>({
    text: ({ cipher }) => `${cipher} does not encrypt`,
    hints: () => [inBootLoader("rd.luks.options=insecure-null accepts it anyway")],
  }),
};
