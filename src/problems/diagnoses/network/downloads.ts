import { describeFault, type Fault } from "../../causes/transfer.ts";
import { byHand, diagnosis, inBootLoader, inBuilder } from "../../diagnosis.ts";

interface Named {
  /** Of the file. */
  readonly name: string;
}

/** What stops a download. */
export const DOWNLOADS = {
  "download-failed": diagnosis<Named & { failures: readonly { url: string; fault: Fault }[] }>({
    text: ({ name }) => `could not download ${name}`,
    reasons: ({ failures }) => failures.map(({ url, fault }) => `${url}: ${describeFault(fault)}`),
    hints: () => [inBootLoader("correct the URL"), byHand("check the server and the network cable")],
  }),
  "download-process-ended": diagnosis<Named & { status: number | null }>({
    text: ({ name }) => `could not download ${name}`,
    reasons: ({ status }) => [
      status === null
        ? "the process that downloads does not answer"
        : `the process that downloads ended with status ${status}`,
    ],
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
  "config-key-unreadable": diagnosis<{ path: string }>({
    text: ({ path }) => `could not verify the configuration with ${path}`,
    hints: () => [inBuilder("add an Ed25519 key to the image, as `openssl pkey -pubout` writes it")],
  }),
  "config-signature-wrong": diagnosis<{ url: string; path: string }>({
    text: ({ url }) => `the configuration ${url} cannot be used`,
    reasons: ({ path }) => [`its signature was not made with the key of ${path}`],
    hints: () => [byHand("sign the file on the server: `openssl pkeyutl -sign -rawin`")],
  }),
  "download-without-room": diagnosis<Named & { free: string }>({
    text: ({ name }) => `could not download ${name} to memory`,
    reasons: ({ free }) => [`only ${free}`],
    hints: () => [byHand("add memory"), inBuilder("make a smaller image")],
  }),
};
