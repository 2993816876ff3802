import { diagnosis, inBootLoader, inBuilder, inShell } from "../diagnosis.ts";

type Origin = "levain.toml" | "the kernel command line" | "levain retry";

const ORIGINS = {
  "levain.toml": { where: "in levain.toml", cure: "correct levain.toml and rebuild the image", hint: inBuilder },
  "the kernel command line": {
    where: "on the kernel command line",
    cure: "correct the parameters in the boot loader",
    hint: inBootLoader,
  },
  "levain retry": {
    where: "in the parameters of levain retry",
    cure: "run `levain retry` with other parameters",
    hint: inShell,
  },
} as const;

const rebuild = () => [inBuilder("rebuild the image with the levain that is its /init: `levain image`")];

/** What stops the plan: mistakes in parameters and in the manifest. */
export const PLAN = {
  "parameter-mistakes": diagnosis<{
    readonly mistakes: readonly { readonly origin: Origin; readonly text: string }[];
  }>({
    text: ({ mistakes }) => {
      const count = mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`;
      const origins = [...new Set(mistakes.map(({ origin }) => origin))];
      return `${count} ${origins.map((origin) => ORIGINS[origin].where).join(" and ")}`;
    },
    hints: ({ mistakes }) =>
      [...new Set(mistakes.map(({ origin }) => ORIGINS[origin]))].map(({ cure, hint }) =>
        hint(`${cure} (see \`levain help parameters\`)`),
      ),
  }),
  "manifest-malformed": diagnosis<object>({
    text: () => "/etc/levain.json is not a manifest that this version of levain can read",
    hints: rebuild,
  }),
  "manifest-damaged": diagnosis<object>({
    text: () => "/etc/levain.json is damaged: it is not JSON",
    hints: rebuild,
  }),
};
