import { diagnosis, inBuilder } from "../diagnosis.ts";

/** What stops the plan and the last steps: prepare, init, handover. */
export const BOOT = {
  "root-not-mounted": diagnosis<{ readonly place: string }>({ text: ({ place }) => `nothing is mounted at ${place}` }),
  "root-lacks-directory": diagnosis<{ readonly directory: string; readonly user: string }>({
    text: ({ directory, user }) => `the new root has no directory ${directory}, which ${user} needs`,
    hints: ({ directory }) => [inBuilder(`create the directory ${directory} in the root filesystem`)],
  }),
};
