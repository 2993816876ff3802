import { distinct } from "../../causes/cause.ts";
import { describeFault, type Fault, hintsForFault } from "../../causes/transfer.ts";
import { byHand, diagnosis, IF_MEMORY_RAN_OUT, inBootLoader, inBuilder } from "../../diagnosis.ts";

interface Named {
  /** Of the file. */
  readonly name: string;
}

/** What stops a download. */
export const DOWNLOADS = {
  "download-failed": diagnosis<Named & { failures: readonly { url: string; fault: Fault }[] }>({
    text: ({ name }) => `could not download ${name}`,
    reasons: ({ failures }) => failures.map(({ url, fault }) => `${url}: ${describeFault(fault)}`),
    hints: ({ failures }) => distinct(failures.flatMap(({ fault }) => hintsForFault(fault))),
  }),
  "download-process-ended": diagnosis<Named & { status: number | null }>({
    text: ({ name }) => `could not download ${name}`,
    reasons: ({ status }) => [
      status === null
        ? "the process that downloads does not answer"
        : `the process that downloads ended with status ${status}`,
    ],
    hints: () => [IF_MEMORY_RAN_OUT],
  }),
  "config-malformed": diagnosis<{ url: string; mistakes: readonly string[] }>({
    text: ({ url }) => `the configuration ${url} cannot be used`,
    reasons: ({ mistakes }) => mistakes,
    hints: () => [byHand("correct the file on the server"), inBootLoader("boot without it: remove rd.config=")],
  }),
  "config-name-unknown": diagnosis<{ url: string; name: string }>({
    text: ({ url }) => `could not download the configuration ${url}`,
    reasons: ({ name }) => [`this machine has no ${name === "mac" ? "hardware address" : name} that levain can read`],
    hints: () => [inBootLoader("use another name in rd.config=")],
  }),
  "signature-key-unreadable": diagnosis<{ url: string; key: string }>({
    text: ({ url, key }) => `could not verify ${url} with ${key}`,
    reasons: () => ["the image has no Ed25519 key there"],
    hints: ({ key }) => [inBuilder(`add the key to the image, as \`openssl pkey -pubout\` writes it: ${key}`)],
  }),
  "download-signature-wrong": diagnosis<{ url: string; key: string }>({
    text: ({ url }) => `${url} cannot be used`,
    reasons: ({ key }) => [`its signature was not made with the key of ${key}`],
    hints: () => [byHand("sign the file on the server: `openssl pkeyutl -sign -rawin`")],
  }),
  "signed-list-without-image": diagnosis<Named & { url: string; asked: string | null }>({
    text: ({ name }) => `could not download ${name}`,
    reasons: ({ name, url, asked }) => [
      asked === null
        ? `${url}, which is signed, has no SHA-256 or SHA-512 of ${name}`
        : `${url}, which is signed, does not have ${asked} for ${name}, as rd.image.digest= asks`,
    ],
    hints: ({ name }) => [byHand(`make the list again on the server, in the directory of the file: sha256sum ${name}`)],
  }),
  "download-without-room": diagnosis<Named & { free: string }>({
    text: ({ name }) => `could not download ${name} to memory`,
    reasons: ({ free }) => [`only ${free}`],
    hints: () => [byHand("add memory"), inBuilder("make a smaller image")],
  }),
};
