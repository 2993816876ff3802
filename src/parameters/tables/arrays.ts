import { list, toggle } from "../parameter.ts";
import * as values from "../values.ts";

/** Arrays of Linux RAID (md). */
export const ARRAYS = {
  raid: toggle({
    syntax: "rd.md=yes|no",
    fallback: "yes",
    text: "rd.md=0: start no array of Linux RAID.",
    example: "rd.md=0",
  }),
  raidUuids: list(values.arrayUuid, {
    syntax: "rd.md.uuid=UUID",
    fallback: "every array whose members are present",
    text: "Start only the array with this UUID, as mdadm or blkid prints it. May be given several times. An array with a missing member is started when the member has been waited for: 30 seconds, or two thirds of rd.timeout=.",
    example: "rd.md.uuid=0f6f4b5c:1d2e3f40:51627384:95a6b7c8",
  }),
};
