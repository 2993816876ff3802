import { runtimeCrypto } from "../../crypto/secret.ts";
import type { Clock, Files } from "../../machine/machine.ts";
import { listOrNone, textOrNone } from "../../machine/small-files.ts";
import { type DownloadMachine, download, type Watched } from "./attempts.ts";
import { type DownloadNews, type DownloadOrder, decodeOrder, encodeNews, type Failure } from "./order.ts";
import { setClockByServer } from "./time.ts";

type ServingMachine = DownloadMachine &
  Pick<Files, "readFile" | "listDirectory"> &
  Pick<Clock, "timeOfDayMs" | "setTimeOfDay">;

/** Longer than a report takes, shorter than a person notices. */
const REPORT_EVERY_MS = 200;

/** Returns what carries out orders to download, in a process of its own: each order is answered with a report. */
export function createDownloads(machine: ServingMachine): (order: Uint8Array) => Promise<Uint8Array> {
  let watched: Watched = { received: null, url: null, failures: [] };
  const notes: string[] = [];
  let end: readonly Failure[] | null | undefined;
  let running: Promise<void> = Promise.resolve();
  return async (bytes) => {
    const order = decodeOrder(bytes);
    if (order !== null) {
      watched = { received: null, url: null, failures: [] };
      end = undefined;
      running = run(machine, order, watched, notes).then((failures) => {
        end = failures;
      });
    }
    await Promise.race([running, Bun.sleep(REPORT_EVERY_MS)]);
    return encodeNews({ ...report(watched, end), notes: notes.splice(0) });
  };
}

async function run(
  machine: ServingMachine,
  order: DownloadOrder,
  watched: Watched,
  notes: string[],
): Promise<readonly Failure[] | null> {
  // Before certificates are judged.
  const note = await setClockByServer(machine, order.timeServers);
  if (note !== null) notes.push(note);
  return download(machine, order, readAuthorities(machine), watched);
}

function report(
  { received, url, failures }: Watched,
  end: readonly Failure[] | null | undefined,
): Omit<DownloadNews, "notes"> {
  const ended = end === null ? "done" : "failed";
  const state = end === undefined ? "running" : ended;
  const { bytes: doneBytes = 0, totalBytes = null } = received ?? {};
  return { doneBytes, totalBytes, failures: failures.splice(0), state, url, last: end ?? [] };
}

/** The bundle of certificates as distributions have it; the first that exists counts. */
const BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
/** Certificates of authorities that the image adds. */
const OWN_AUTHORITIES = "/etc/levain/authorities";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Returns the authorities of the image; none if it has none, so that those of the runtime count. */
export function readAuthorities(machine: Pick<Files, "readFile" | "listDirectory">): readonly string[] {
  const bundle = BUNDLES.map((path) => textOrNone(machine, path)).find((text) => text !== "");
  const own = listOrNone(machine, OWN_AUTHORITIES).map((name) => textOrNone(machine, `${OWN_AUTHORITIES}/${name}`));
  const certificates = own.flatMap((text) => text.match(CERTIFICATE) ?? []).filter(isCertificate);
  return [...(bundle === undefined ? [] : [bundle]), ...certificates];
}

/** The runtime connects to no server at all if one of its authorities is malformed. */
function isCertificate(text: string): boolean {
  try {
    return new (runtimeCrypto().X509Certificate)(text).subject !== undefined;
  } catch {
    return false;
  }
}
