/** What a machine is known by. */
export interface MachineIdentity {
  /** Hardware addresses of its interfaces, in lower case: "52:54:00:12:34:56". */
  readonly macs: readonly string[];
  /** What the firmware says; null if it says nothing. */
  readonly uuid: string | null;
  readonly serial: string | null;
  readonly product: string | null;
  /** The kernel's host name (hostname= of the command line); null if none is set. */
  readonly hostname: string | null;
}

const MAC = /^[\da-f]{2}(?:[:-][\da-f]{2}){5}$/i;

/** What a name may be, the least specific first: the parameters of a later one override those of an earlier one. */
const KINDS = ["product", "hostname", "serial", "uuid", "mac"] as const;

/** Returns the names of the tables that are for this machine, in the order in which they override each other. */
export function findMachines(names: readonly string[], identity: MachineIdentity): readonly string[] {
  return KINDS.flatMap((kind) => names.filter((name) => kindOf(name, identity) === kind));
}

/** True if a name is a hardware address, which is known only when the driver of its interface is loaded. */
export function namesMac(names: readonly string[]): boolean {
  return names.some((name) => MAC.test(name));
}

/** Returns what of the machine has the name, the most specific; null if nothing has. Case does not matter. */
function kindOf(name: string, identity: MachineIdentity): (typeof KINDS)[number] | null {
  const wanted = MAC.test(name) ? name.toLowerCase().replaceAll("-", ":") : name.toLowerCase();
  const has = (kind: (typeof KINDS)[number]) =>
    kind === "mac" ? identity.macs.includes(wanted) : identity[kind]?.toLowerCase() === wanted;
  return KINDS.findLast(has) ?? null;
}
