import { byHand, diagnosis, inBootLoader, inBuilder, inShell } from "../diagnosis.ts";
import { printable } from "../report.ts";

const ASK_AGAIN = inShell("`exit` asks again; `levain unlock` asks in this shell");

const CORRECT_PLACE = [
  inBootLoader("correct the device and the path in rd.luks.key="),
  inBuilder("correct them in /etc/crypttab of the image"),
];
const COPY_KEY = [byHand("copy the key file to its place again")];
const WHOLE_VOLUME = [
  byHand("give the partition its old size, or copy the whole volume again"),
  byHand("restore the header that belongs to these data: cryptsetup luksHeaderRestore"),
];

/** What keeps an encrypted volume locked. */
export const CRYPT = {
  "volume-locked": diagnosis<{ volume: string }>(({ volume }) => `could not unlock ${volume}`),
  "encrypted-device-missing": diagnosis<{ spec: string }>({
    text: ({ spec }) => `encrypted device ${spec} did not appear`,
    hints: () => [
      byHand("attach the disk"),
      inBootLoader("correct the UUID in rd.luks.uuid= or rd.luks.name="),
      inShell("see which volumes there are: `levain devices`"),
    ],
  }),
  "header-missing": diagnosis<{ place: string }>({
    text: ({ place }) => `the LUKS header ${place} did not appear`,
    hints: () => [byHand("attach the disk with the header"), inBootLoader("correct rd.luks.header=")],
  }),
  "unlocking-is-off": diagnosis<{ part: "root" | "layer" | "image" | "store" | "submount"; name: string }>({
    text: ({ part, name }) =>
      `${part === "submount" ? "" : `the ${part} `}${name} is encrypted, but rd.luks=0 forbids unlocking`,
    hints: () => [inShell("`levain retry rd.luks=1` unlocks it"), inBootLoader("remove rd.luks=0")],
  }),
  "passphrases-wrong": diagnosis<{ count: number }>({
    text: ({ count }) => `${count === 1 ? "the passphrase is" : `${count} passphrases were`} wrong`,
    hints: () => [
      ASK_AGAIN,
      byHand("check Caps Lock, and type as on a US keyboard unless the prompt names a keymap"),
      inBuilder("add your keymap: levain image --keymap NAME"),
    ],
  }),
  "passphrase-timeout": diagnosis<{ seconds: number }>({
    text: ({ seconds }) => `no passphrase was typed within ${seconds} s`,
    hints: () => [ASK_AGAIN],
  }),
  "prompt-cancelled": diagnosis({ text: () => "the prompt was cancelled by Ctrl-C", hints: () => [ASK_AGAIN] }),
  "derivation-cancelled": diagnosis({ text: () => "cancelled by Ctrl-C", hints: () => [ASK_AGAIN] }),
  "derivation-device-gone": diagnosis({
    text: () => "its device went away",
    hints: () => [byHand("attach the disk again, and check its cable")],
  }),
  "derivation-too-long": diagnosis<{ took: string; limit: string }>({
    text: ({ took, limit }) => `deriving the key was stopped after ${took}: max-kdf= allows ${limit}`,
    hints: () => [inBootLoader("rd.luks.options=max-kdf=0 removes the limit")],
  }),
  "no-integrity-superblock": diagnosis<{ node: string; tagBytes: number }>({
    text: ({ node, tagBytes }) => `no dm-integrity superblock on ${node} with tags of ${tagBytes} bytes`,
    hints: () => WHOLE_VOLUME,
  }),
  "integrity-size-wrong": diagnosis<{ node: string; sectors: number }>({
    text: ({ node, sectors }) => `the dm-integrity superblock claims ${sectors} sectors, which ${node} does not have`,
    hints: () => WHOLE_VOLUME,
  }),
  "place-unreadable": diagnosis<{ place: string }>({
    text: ({ place }) => `${place} cannot be read`,
    hints: () => [byHand("check the disk that it is on, and its cable")],
  }),
  "no-filesystem-for-key": diagnosis<{ place: string; node: string }>({
    text: ({ place, node }) => `there is no filesystem on ${node} for ${place}`,
    hints: () => CORRECT_PLACE,
  }),
  "no-key-file": diagnosis<{ path: string; node: string; isUnclean: boolean }>({
    text: ({ path, node, isUnclean }) => {
      const why = ", which was not unmounted: levain does not replay its journal, so its newest changes may be missing";
      return `there is no file ${path} on ${node}${isUnclean ? why : ""}`;
    },
    hints: () => [...CORRECT_PLACE, byHand("copy the file there, and unmount the disk before you remove it")],
  }),
  "key-too-large": diagnosis<{ place: string }>({
    text: ({ place }) => `${place} is larger than any key: more than 8 MiB`,
    hints: () => [inBootLoader("select the bytes of the key by an offset and a size")],
  }),
  "key-empty": diagnosis<{ place: string }>({ text: ({ place }) => `${place} is empty`, hints: () => COPY_KEY }),
  "key-truncated": diagnosis<{ place: string }>({
    text: ({ place }) => `${place} ends before the key does`,
    hints: () => [...COPY_KEY, inBootLoader("correct keyfile-offset= and keyfile-size= in rd.luks.options=")],
  }),
  "key-too-short": diagnosis<{ bytes: number; keyBytes: number }>({
    text: ({ bytes, keyBytes }) => `the key file has ${bytes} bytes, but the key ${keyBytes}`,
    hints: () => [...COPY_KEY, inBootLoader("correct size= in rd.luks.options=")],
  }),
  "data-beyond-device": diagnosis<{ node: string }>({
    text: ({ node }) => `${node} is too small for the data`,
    hints: () => WHOLE_VOLUME,
  }),
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
