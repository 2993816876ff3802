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
  "download-without-room": diagnosis<Named & { free: string }>({
    text: ({ name }) => `could not download ${name} to memory`,
    reasons: ({ free }) => [`only ${free}`],
    hints: () => [byHand("add memory"), inBuilder("make a smaller image")],
  }),
};
