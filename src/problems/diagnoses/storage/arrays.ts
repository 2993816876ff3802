import { byHand, diagnosis, inBootLoader, inBuilder, inShell } from "../../diagnosis.ts";

/** Arrays that are not started. */
export const ARRAYS = {
  "array-refused": diagnosis<{ array: string; why: string }>({
    text: ({ array, why }) => `${array} is not started: ${why}`,
    hints: () => [
      inShell("read the kernel's log: dmesg"),
      byHand("look at its members with `mdadm --examine` on another system"),
    ],
  }),
  "no-mdadm": diagnosis<{ node: string; raid: string }>({
    text: ({ node, raid }) => `${node} is a member of ${raid}, which mdadm starts, and the image has no mdadm`,
    hints: () => [
      inBuilder('add it: programs = ["/usr/sbin/mdadm", "/usr/sbin/mdmon"] in levain.toml'),
      inBootLoader("if the disk is no longer a member, use it as it is: rd.md=0"),
    ],
  }),
  "no-multipath": diagnosis<Record<never, never>>({
    text: () => "a parameter names a device of multipath, and the image has no multipath",
    hints: () => [
      inBuilder('add it: programs = ["/sbin/multipath"] and add = ["/lib/multipath"] in levain.toml'),
      inBootLoader("or name what is on the disk: root=UUID=…; levain then uses one path"),
    ],
  }),
  "firmware-raid-refused": diagnosis<{ node: string; raid: string; why: string }>({
    text: ({ node, raid, why }) => `${node} is a member of ${raid}, which mdadm has not started: ${why}`,
    hints: () => [
      inShell("look at it: mdadm --examine DEVICE"),
      inBootLoader("if the disk is no longer a member, use it as it is: rd.md=0"),
    ],
  }),
};
