import { parseSums } from "../../formats/checks/sums-file.ts";
import type { Files } from "../../machine/machine.ts";
import type { ImageDigest } from "../../parameters/checks.ts";
import { IMAGE_KEY } from "../../plan/checks/checks.ts";
import { problem } from "../../problems/problem.ts";
import { type DownloadContext, downloadFile } from "./download.ts";
import type { DownloadOrder } from "./order.ts";
import { requireSignature } from "./signature.ts";

/** Where the list and its signature go. */
const DIRECTORY = "/run/levain/signed";
const MOST_BYTES = 256 << 10;
const DIGITS = { sha512: 128, sha256: 64 } as const;

/** A list of checksums, as `sha256sum` writes it, and how to download it. */
interface SignedList extends Pick<DownloadOrder, "patienceMs" | "proxy" | "timeServers"> {
  readonly url: string;
  /** The file that it has to name. */
  readonly name: string;
  /** What rd.image.digest= asks for besides; the list has to agree. */
  readonly digest: ImageDigest | null;
}

/** Downloads a signed list of checksums, and returns what it says of the image. Throws BootError: also if the signature or the list is not right. */
export function readSignedDigest(
  { machine, voice }: DownloadContext & { readonly machine: Pick<Files, "stat" | "readFile" | "makeDirectory"> },
  { url, name, digest, ...order }: SignedList,
): ImageDigest {
  machine.makeDirectory(DIRECTORY);
  const read = (address: string, file: string) => {
    const path = `${DIRECTORY}/${file}`;
    downloadFile({ machine, voice }, { ...order, urls: [address], path, limitBytes: MOST_BYTES, digest: null }, file);
    return machine.readFile(path);
  };
  const list = read(url, "checksums");
  requireSignature(machine, { url, key: IMAGE_KEY }, list, read(`${url}.sig`, "checksums.sig"));
  const algorithms = digest === null ? (["sha512", "sha256"] as const) : [digest.algorithm];
  for (const algorithm of algorithms) {
    const hex = parseSums(list, DIGITS[algorithm]).find(({ path }) => path === name)?.hex;
    if (hex !== undefined && (digest === null || hex === digest.hex)) return { algorithm, hex };
  }
  throw problem("signed-list-without-image", { url, name, asked: digest && `${digest.algorithm}:${digest.hex}` });
}
