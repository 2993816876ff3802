/**
 * What a booted system says of its storage, in sections "== NAME", written to the disk with the serial number "report". Rules of udev
 * note some properties only at the event that was last (SYSTEMD_READY of a device that lvm2 made in the real system, of an array): so all
 * see the same one first.
 */
export const REPORT_SCRIPT = `#!/bin/sh
cd /tmp
udevadm trigger --action=add --subsystem-match=block --settle
while [ "$(systemctl list-units --plain --no-legend --state=active,activating 'lvm-activate-*')" ]; do sleep 0.2; done
say() { echo "== $1"; shift; "$@" 2>&1; }
udev() {
  for one in /sys/block/dm-* /sys/block/md* /sys/block/vd*; do
    udevadm info --query=all --path=$one | grep -vE '^E: (USEC_INITIALIZED|DISKSEQ|MINOR|MAJOR|DEVPATH)=|^$|^[UTIQMLR]:' | sort
    echo
  done
}
units() { systemctl list-units --all --plain --no-legend "$@" | awk '{ print $1, $2, $3, $4 }' | sort; }
{
  say state systemctl is-system-running --wait
  say failed systemctl --failed --plain --no-legend
  say target systemctl is-active multi-user.target
  say pvs pvs -o +pv_uuid,pv_missing,pv_used
  say vgs vgs -o +vg_uuid,vg_seqno
  say lvs lvs -a -o lv_full_name,lv_attr,lv_size,pool_lv,origin,lv_uuid,lv_read_ahead,lv_kernel_read_ahead,lv_active,lv_health_status,segtype,devices
  say lsblk lsblk -s -o NAME,TYPE,SIZE,RO,RA,FSTYPE,LABEL,UUID,MOUNTPOINTS
  say table dmsetup table
  say info dmsetup info -c --noheadings -o name,uuid,attr,open,segments
  say cookies dmsetup udevcookies
  say links find /dev/mapper /dev/disk /dev/md /dev/sys /dev/tank -type l -printf '%p %l\\n'
  say udev udev
  say units units 'lvm*' 'dm-*' 'blk-*' '*crypt*' 'md*' '*.swap' '*.mount' 'dev-*.device'
  say online find /run/lvm /run/mdadm /run/cryptsetup -type f
  say arrays cat /proc/mdstat
  say cmdline cat /proc/cmdline
  say journal journalctl -b -p warning --no-pager -o cat
  say monitor journalctl -b -u lvm2-monitor -u dm-event --no-pager -o short-monotonic
  echo "== end"
} > report
dd if=report of=/dev/disk/by-id/virtio-report conv=fsync bs=1M 2>/dev/null
echo reported-$((40 + 2))
`;

/**
 * The sections by name, without what depends on the order in which devices appeared: devices of the device mapper have their names in
 * place of numbers, and lines and lists are sorted.
 */
export function readReport(text: string): ReadonlyMap<string, string> {
  const plain = text.replaceAll(DYNAMIC_MAJOR, "dynamic:");
  const named = [...plain.matchAll(/^\/dev\/mapper\/(\S+) \.\.\/dm-(\d+)$/gm)].reduce(
    (all, [, name, number]) => all.replaceAll(new RegExp(`\\bdm(?:-|\\\\x2d)${number}\\b`, "g"), `dm(${name})`),
    plain,
  );
  const sections = named.split(/^== /m).slice(1, -1);
  return new Map(
    sections.map((section) => {
      const end = section.indexOf("\n");
      const [name, body] = [section.slice(0, end), section.slice(end + 1)];
      const parts = body.split(SEPARATORS[name] ?? "\n").filter((part) => !BY_ORDER.test(part));
      return [name, parts.map(sortList).sort().join("\n")];
    }),
  );
}

/** What stands between the devices, if each has several lines. */
const SEPARATORS: Readonly<Record<string, string | RegExp>> = { udev: "\n\n", lsblk: /\n(?=\w)/ };
/** Each disk has the next number; the kernel says which modules were loaded; Debian's lvm2-monitor may fail beside vgchange. */
const BY_ORDER =
  /^\/dev\/disk\/by-diskseq|by\\x2ddiskseq|^Personalities|^unused devices|^cat: \/proc\/mdstat|^lvm2-monitor/;
/** Major numbers that drivers get in the order in which they are loaded (Documentation/admin-guide/devices.txt). */
const DYNAMIC_MAJOR = /\b2(?:3[4-9]|4\d|5[0-4]):(?=\d)/g;

/** Sorts the links of a device in udev's database, and the members of an array; leaves out a number that only says when the device appeared. */
function sortList(part: string): string {
  const sort = (list: string) =>
    list
      .split(" ")
      .filter((word) => !word.startsWith("/dev/disk/by-diskseq"))
      .sort()
      .join(" ");
  return part
    .replace(/^(?:S: disk\/by-diskseq|D: b dynamic:).*\n/gm, "")
    .replace(/(?<=^E: DEVLINKS=|^md\d+ : active \w+ ).*/gm, sort);
}
