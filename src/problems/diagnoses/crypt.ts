import { diagnosis, inBootLoader, inShell } from "../diagnosis.ts";
import { printable } from "../report.ts";

const ASK_AGAIN = inShell("`exit` asks again; `levain unlock` asks in this shell");

/** What keeps an encrypted volume locked. */
export const CRYPT = {
  "volume-locked": diagnosis<{ volume: string }>(({ volume }) => `could not unlock ${volume}`),
  "encrypted-device-missing": diagnosis<{ spec: string }>(({ spec }) => `encrypted device ${spec} did not appear`),
  "header-missing": diagnosis<{ place: string }>(({ place }) => `the LUKS header ${place} did not appear`),
  "unlocking-is-off": diagnosis<{ part: "root" | "layer" | "image" | "store" | "submount"; name: string }>({
    text: ({ part, name }) =>
      `${part === "submount" ? "" : `the ${part} `}${name} is encrypted, but rd.luks=0 forbids unlocking`,
    hints: () => [inShell("`levain retry rd.luks=1` unlocks it"), inBootLoader("remove rd.luks=0")],
  }),
  "passphrases-wrong": diagnosis<{ count: number }>({
    text: ({ count }) => `${count === 1 ? "the passphrase is" : `${count} passphrases were`} wrong`,
    hints: () => [ASK_AGAIN],
  }),
  "passphrase-timeout": diagnosis<{ seconds: number }>({
    text: ({ seconds }) => `no passphrase was typed within ${seconds} s`,
    hints: () => [ASK_AGAIN],
  }),
  "prompt-cancelled": diagnosis({ text: () => "the prompt was cancelled by Ctrl-C", hints: () => [ASK_AGAIN] }),
  "derivation-cancelled": diagnosis({ text: () => "cancelled by Ctrl-C", hints: () => [ASK_AGAIN] }),
  "derivation-device-gone": diagnosis(() => "its device went away"),
  "derivation-too-long": diagnosis<{ took: string; limit: string }>({
    text: ({ took, limit }) => `deriving the key was stopped after ${took}: max-kdf= allows ${limit}`,
    hints: () => [inBootLoader("rd.luks.options=max-kdf=0 removes the limit")],
  }),
  "no-integrity-superblock": diagnosis<{ node: string; tagBytes: number }>(
    ({ node, tagBytes }) => `no dm-integrity superblock on ${node} with tags of ${tagBytes} bytes`,
  ),
  "integrity-size-wrong": diagnosis<{ node: string; sectors: number }>(
    ({ node, sectors }) => `the dm-integrity superblock claims ${sectors} sectors, which ${node} does not have`,
  ),
  "place-unreadable": diagnosis<{ place: string }>(({ place }) => `${place} cannot be read`),
  "no-filesystem-for-key": diagnosis<{ place: string; node: string }>(
    ({ place, node }) => `there is no filesystem on ${node} for ${place}`,
  ),
  "no-key-file": diagnosis<{ path: string; node: string; isUnclean: boolean }>(({ path, node, isUnclean }) => {
    const why = ", which was not unmounted: levain does not replay its journal, so its newest changes may be missing";
    return `there is no file ${path} on ${node}${isUnclean ? why : ""}`;
  }),
  "key-too-large": diagnosis<{ place: string }>({
    text: ({ place }) => `${place} is larger than any key: more than 8 MiB`,
    hints: () => [inBootLoader("select the bytes of the key by an offset and a size")],
  }),
  "key-empty": diagnosis<{ place: string }>(({ place }) => `${place} is empty`),
  "key-truncated": diagnosis<{ place: string }>(({ place }) => `${place} ends before the key does`),
  "key-too-short": diagnosis<{ bytes: number; keyBytes: number }>(
    ({ bytes, keyBytes }) => `the key file has ${bytes} bytes, but the key ${keyBytes}`,
  ),
  "data-beyond-device": diagnosis<{ node: string }>(({ node }) => `${node} is too small for the data`),
  "null-cipher": diagnosis<{ cipher: string }>({
    text: ({ cipher }) => `${cipher} does not encrypt`,
    hints: () => [inBootLoader("rd.luks.options=insecure-null accepts it anyway")],
  }),
  "no-console-for-passphrase": diagnosis<{ volume: string }>({
    text: ({ volume }) => `no console to ask for the passphrase of ${printable(volume)}`,
    hints: () => [
      inBootLoader("name a console that exists (console=tty0 or console=ttyS0)"),
      inBootLoader("use a key file (rd.luks.key=)"),
    ],
  }),
};
