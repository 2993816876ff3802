/**
 * What a booted system says of its storage, in sections "== NAME", written to the disk with the serial number "report". Numbers that
 * depend on the order in which devices appeared are replaced by names.
 */
export const REPORT_SCRIPT = `#!/bin/sh
cd /tmp
say() { echo "== $1"; shift; "$@" 2>&1; }
dm() { for one in /sys/block/dm-*; do echo "$1 $(cat $one/dm/name) $(cat $one/dev) \${one##*/}"; done; }
names() { dm | while read name number kernel; do echo "s/\\\\b$kernel\\\\b/DM($name)/g; s/\\\\b$number\\\\b/DM($name)/g"; done; }
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
  say pvs pvs -o +pv_uuid,pv_missing,pv_used
  say vgs vgs -o +vg_uuid,vg_seqno
  say lvs lvs -a -o +lv_uuid,lv_kernel_major,lv_read_ahead,lv_kernel_read_ahead,lv_active,lv_health_status,segtype,devices
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
  echo "== end"
} > report
names > script
sed -f script report | dd of=/dev/disk/by-id/virtio-report conv=fsync bs=1M 2>/dev/null
echo reported-$((40 + 2))
`;

/** The sections by name; the lines of those in which order means nothing are sorted. */
export function readReport(text: string): ReadonlyMap<string, string> {
  const sections = text.split(/^== /m).slice(1, -1);
  return new Map(
    sections.map((section) => {
      const end = section.indexOf("\n");
      const [name, body] = [section.slice(0, end), section.slice(end + 1)];
      return [name, name === "udev" || name === "lsblk" ? body : `${body.split("\n").sort().join("\n")}\n`];
    }),
  );
}
