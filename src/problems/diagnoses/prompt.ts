import { diagnosis, inBootLoader } from "../diagnosis.ts";
import { printable } from "../report.ts";

/** Why no person can be asked for a passphrase. */
export const PROMPT = {
  "no-console-for-passphrase": diagnosis<{ readonly volume: string }>({
    text: ({ volume }) => `no console to ask for the passphrase of ${printable(volume)}`,
    hints: () => [
      inBootLoader("name a console that exists (console=tty0 or console=ttyS0)"),
      inBootLoader("use a key file (rd.luks.key=)"),
    ],
  }),
};
