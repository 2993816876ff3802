import { describe, expect, test } from "bun:test";
import { formatParametersPage } from "../../../build/docs.ts";
import type { Parameter } from "../../../src/parameters/parameter.ts";
import {
  describeParameters,
  findParameters,
  PARAMETER_GROUPS,
  PARAMETER_ROWS,
} from "../../../src/parameters/parameters.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";

const ESP = "11111111-2222-4333-8444-55555555555e";
const plan = (cmdline: string) =>
  makePlan({
    cmdline,
    manifest: null,
    inherited: { argv: [], environment: [] },
    findEsp: () => ESP,
    crypttab: "tabled /dev/sdz",
  }).plan;
const rows = PARAMETER_ROWS.map(([key, row]) => [row.name, key, row] as const);

/** The example without the parameter itself. */
function withoutParameter(row: Parameter): string {
  const words = row.example.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
  return words.filter((word) => !findParameters(word.split("=")[0] ?? "").some((match) => match.row === row)).join(" ");
}

describe("every parameter of the table changes the plan", () => {
  test.each(rows)("%s", (_name, _key, row) => {
    expect(withoutParameter(row)).not.toBe(row.example);
    expect(plan(row.example)).not.toEqual(plan(withoutParameter(row)));
  });
});

/** For every alias: a command line without it, a use of it, and the same with the parameter's own name. */
const HASH = "6fe0c3d2a1b4958677a8b9cadbecfd0e1f2031425364758697a8b9cadbecfd0e";

const ISCSI = "root=LABEL=R rd.iscsi.target.ip=192.0.2.1 rd.iscsi.target.name=iqn.a:b";
const ALIASES: Readonly<Record<string, readonly [string, string, string]>> = {
  iscsi_initiator: [ISCSI, "iscsi_initiator=iqn.x:y", "rd.iscsi.initiator=iqn.x:y"],
  iscsi_target_name: [ISCSI, "iscsi_target_name=iqn.x:y", "rd.iscsi.target.name=iqn.x:y"],
  iscsi_target_ip: [ISCSI, "iscsi_target_ip=192.0.2.9", "rd.iscsi.target.ip=192.0.2.9"],
  iscsi_target_port: [ISCSI, "iscsi_target_port=7", "rd.iscsi.target.port=7"],
  iscsi_target_group: [ISCSI, "iscsi_target_group=7", "rd.iscsi.target.group=7"],
  iscsi_param: [ISCSI, "iscsi_param=a=b", "rd.iscsi.param=a=b"],
  iscsi_username: [`${ISCSI} rd.iscsi.password=p`, "iscsi_username=x", "rd.iscsi.username=x"],
  iscsi_password: [`${ISCSI} rd.iscsi.username=u`, "iscsi_password=x", "rd.iscsi.password=x"],
  iscsi_in_username: [`${ISCSI} rd.iscsi.in.password=p`, "iscsi_in_username=x", "rd.iscsi.in.username=x"],
  iscsi_in_password: [`${ISCSI} rd.iscsi.in.username=u`, "iscsi_in_password=x", "rd.iscsi.in.password=x"],
  nompath: ["root=LABEL=X", "nompath", "rd.multipath=0"],
  "rd.retry": ["root=LABEL=X", "rd.retry=7", "rd.timeout=7"],
  real_root: ["", "real_root=LABEL=X", "root=LABEL=X"],
  real_rootflags: ["root=LABEL=X", "real_rootflags=noatime", "rootflags=noatime"],
  real_init: ["root=LABEL=X", "real_init=/sbin/other", "init=/sbin/other"],
  real_resume: ["root=LABEL=X", "real_resume=LABEL=S", "resume=LABEL=S"],
  crypt_root: ["root=LABEL=X", "crypt_root=/dev/sda2", "cryptopts=target=root,source=/dev/sda2,luks"],
  doload: ["root=LABEL=X", "doload=a,b", "rd.modules=a,b"],
  noload: ["root=LABEL=X", "noload=a,b", "module_blacklist=a,b"],
  "gk.emergency": ["root=LABEL=X", "gk.emergency=poweroff", "rd.emergency=poweroff"],
  roottimeout: ["root=LABEL=X", "roottimeout=7", "rd.timeout=7"],
  rootwait: ["root=LABEL=X", "rootwait", "rd.timeout=0"],
  "live-media-timeout": ["boot=live", "live-media-timeout=7", "rd.timeout=7"],
  httpfs: ["boot=live", "httpfs=http://a/b", "fetch=http://a/b"],
  url: ["boot=casper", "url=http://a/b.iso", "iso-url=http://a/b.iso"],
  proxy: ["root=http://a/b", "proxy=http://c:1", "rd.proxy=http://c:1"],
  hibernate: ["resume=LABEL=S", "hibernate=noresume", "noresume"],
  nohibernate: ["resume=LABEL=S", "nohibernate", "noresume"],
  resumedelay: ["resume=LABEL=S", "resumedelay=30", "rd.resume.timeout=30"],
  resumewait: ["resume=LABEL=S", "resumewait", "rd.resume.timeout=0"],
  img_flags: ["root=LABEL=X", "img_flags=noatime", "rootflags=noatime"],
  ro: ["root=LABEL=X rw", "ro", "rw=0"],
  "rd.skipfsck": ["root=LABEL=X", "rd.skipfsck", "fsck.mode=skip"],
  fastboot: ["root=LABEL=X", "fastboot", "fsck.mode=skip"],
  fsckfix: ["root=LABEL=X", "fsckfix", "fsck.repair=yes"],
  forcefsck: ["root=LABEL=X", "forcefsck", "fsck.mode=force"],
  overlaytmpfsflags: ["root=LABEL=X rd.overlay", "overlaytmpfsflags=mode=0700,size=9M", "rd.overlay.size=9M"],
  toram: ["root=live:LABEL=X", "toram=filesystem.squashfs", "rd.live.ram"],
  copytoram: ["root=live:LABEL=X", "copytoram=y", "rd.live.ram"],
  overlaytmpfs: ["root=LABEL=X", "overlaytmpfs", "rd.overlay"],
  "rd.live.overlay": ["root=LABEL=X", "rd.live.overlay=none", "rd.overlay=tmpfs"],
  "rd.live.overlay.reset": ["root=LABEL=X rd.overlay=LABEL=D", "rd.live.overlay.reset=1", "rd.overlay.reset"],
  "rd.live.overlay.readonly": ["root=LABEL=X rd.overlay=LABEL=D", "rd.live.overlay.readonly", "rd.overlay.readonly"],
  cow_label: ["archisolabel=X", "cow_label=D", "cow_device=LABEL=D"],
  "systemd.volatile": ["root=LABEL=X", "systemd.volatile=overlay", "rd.overlay=tmpfs"],
  usrflags: ["root=LABEL=X", "usrflags=noatime", "mount.usrflags=noatime"],
  fstab: ["root=LABEL=X", "fstab=0", "rd.fstab=no"],
  overlayroot: ["root=LABEL=X", "overlayroot=tmpfs:recurse=0", "rd.overlay=tmpfs"],
  "systemd.gpt_auto": ["", "systemd.gpt_auto=0", "rd.systemd.gpt_auto=no"],
  "live-media-path": ["boot=live", "live-media-path=images", "rd.live.dir=images"],
  persistent: ["boot=casper", "persistent", "persistence"],
  nopersistence: ["boot=live persistence", "nopersistence", "persistence=no"],
  nopersistent: ["boot=casper persistent", "nopersistent", "persistence=no"],
  "rd.systemd.mount-extra": [
    "root=LABEL=R",
    "rd.systemd.mount-extra=LABEL=D:/sysroot/srv:ext4",
    "rd.mount=LABEL=D:/srv:ext4",
  ],
  "systemd.mount-extra": ["root=LABEL=R", "systemd.mount-extra=LABEL=U:/usr", "rd.mount=LABEL=U:/usr"],
  "persistent-path": ["boot=casper persistent", "persistent-path=a", "persistence-path=a"],
  BOOT: ["", "BOOT=casper", "boot=casper"],
  ignore_uuid: ["boot=casper uuid=ab", "ignore_uuid", "uuid="],
  bootfrom: ["boot=live", "bootfrom=/dev/sdb1", "live-media=/dev/sdb1"],
  archisolabel: ["archisobasedir=arch", "archisolabel=A", "archisodevice=LABEL=A"],
  archisosearchuuid: [
    "archisobasedir=arch",
    "archisosearchuuid=2025-11-01",
    "archisodevice=UUID=2025-11-01 archisosearchfilename=/boot/2025-11-01.uuid",
  ],
  findiso: ["boot=live", "findiso=/x.iso", "iso-scan/filename=/x.iso"],
  img_loop: ["archisolabel=X", "img_loop=/x.iso", "iso-scan/filename=/x.iso"],
  fromiso: ["boot=live", "fromiso=/dev/sda1/iso/x.iso", "img_dev=/dev/sda1 iso-scan/filename=/iso/x.iso"],
  isofrom: ["boot=live", "isofrom=/dev/disk/by-label/D/x.iso", "img_dev=LABEL=D iso-scan/filename=/x.iso"],
  img_label: ["archisolabel=X img_loop=/x.iso", "img_label=D", "img_dev=LABEL=D"],
  cow_spacesize: ["root=live:LABEL=X", "cow_spacesize=64M", "rd.overlay=tmpfs:size=64M"],
  "overlay-size": ["root=live:LABEL=X", "overlay-size=10%", "rd.overlay=tmpfs:size=10%"],
  "rd.live.overlay.size": ["root=live:LABEL=X", "rd.live.overlay.size=512", "rd.overlay=tmpfs:size=512M"],
  roothash: ["root=LABEL=X", `roothash=${HASH}`, `rd.verity.roothash=${HASH}`],
  usrhash: ["root=LABEL=X", `usrhash=${HASH}`, `rd.verity.usrhash=${HASH}`],
  "systemd.verity_root_data": [`roothash=${HASH}`, "systemd.verity_root_data=LABEL=D", "rd.verity.data=LABEL=D"],
  "systemd.verity_root_hash": [`roothash=${HASH}`, "systemd.verity_root_hash=LABEL=H", "rd.verity.hash=LABEL=H"],
  "systemd.verity_root_options": [
    `roothash=${HASH}`,
    "systemd.verity_root_options=panic-on-corruption",
    "rd.verity.options=panic-on-corruption",
  ],
  "systemd.verity_usr_data": [
    `usrhash=${HASH} root=LABEL=X`,
    "systemd.verity_usr_data=LABEL=D",
    "rd.verity.usrdata=LABEL=D",
  ],
  "systemd.verity_usr_hash": [
    `usrhash=${HASH} root=LABEL=X`,
    "systemd.verity_usr_hash=LABEL=H",
    "rd.verity.usrhashes=LABEL=H",
  ],
  "systemd.verity_usr_options": [
    `usrhash=${HASH} root=LABEL=X`,
    "systemd.verity_usr_options=panic-on-corruption",
    "rd.verity.usroptions=panic-on-corruption",
  ],
  "dm-verity-root-hash": ["boot=live", `dm-verity-root-hash=a.squashfs:${HASH}`, `rd.verity.image=a.squashfs:${HASH}`],
  "dm-verity-oncorruption": ["boot=live", "dm-verity-oncorruption=restart", "rd.verity.options=restart-on-corruption"],
  "dm-verity-enforce-roothash-signature": ["boot=live", "dm-verity-enforce-roothash-signature", "rd.verity.signed"],
  "verify-checksums": ["boot=live", "verify-checksums=sha256,md5", "rd.live.sums=md5,sha256"],
  "integrity-check": ["boot=live", "integrity-check", "rd.live.sums"],
  checksum: ["archisolabel=A", "checksum=y", "rd.live.sums=yes"],
  cms_verify: ["archisolabel=A", "cms_verify=y", "rd.image.cms"],
  luks: ["rd.luks.uuid=abcd", "luks=no", "rd.luks=0"],
  "luks.uuid": ["", "luks.uuid=abcd", "rd.luks.uuid=abcd"],
  "luks.name": ["", "luks.name=abcd=x", "rd.luks.name=abcd=x"],
  "luks.key": ["", "luks.key=/k", "rd.luks.key=/k"],
  "luks.options": ["", "luks.options=discard", "rd.luks.options=discard"],
  "luks.header": ["luks.uuid=abcd", "luks.header=/h", "rd.luks.header=/h"],
  "luks.data": ["luks.uuid=abcd", "luks.data=abcd=/dev/sda", "rd.luks.data=abcd=/dev/sda"],
  "luks.crypttab": ["", "luks.crypttab=0", "rd.luks.crypttab=no"],
  "vconsole.keymap": ["", "vconsole.keymap=de", "rd.vconsole.keymap=de"],
  "rd.driver.pre": ["", "rd.driver.pre=a,b", "rd.modules=a,b"],
  "rd.driver.post": ["", "rd.driver.post=a,b", "rd.modules=a,b"],
  earlymodules: ["", "earlymodules=a,b", "rd.modules=a,b"],
  modules: ["", "modules=a,b", "rd.modules=a,b"],
  modules_load: ["", "modules-load=a,b", "rd.modules=a,b"],
  "rd.modules_load": ["", "rd.modules-load=a,b", "rd.modules=a,b"],
  "rd.driver.blacklist": ["", "rd.driver.blacklist=a", "module_blacklist=a"],
  "modprobe.blacklist": ["", "modprobe.blacklist=a", "module_blacklist=a"],
  blacklist: ["", "blacklist=a", "module_blacklist=a"],
  aoe: ["", "aoe=e0.0", "rd.aoe"],
  "rd.net.timeout.dhcp": ["rd.neednet=1", "rd.net.timeout.dhcp=7", "rd.net.timeout=7"],
  "rd.shell": ["", "rd.shell=0", "rdshell=0"],
  rescueshell: ["", "rescueshell=no", "rdshell=0"],
  single: ["", "single", "rdshell=1"],
  break: ["", "break", "rd.break=root"],
  "rd.emergency": ["", "rd.emergency", "rd.break=root"],
  "rd.rescue": ["", "rd.rescue", "rd.break=root"],
  "rd.systemd.unit": ["", "rd.systemd.unit=rescue.target", "rd.break=root"],
  "rd.quiet": ["", "rd.quiet", "quiet"],
  debug: ["quiet", "debug=vc", "rd.debug"],
  "booster.log": ["rd.log=kmsg", "booster.log=debug,console", "rd.debug rd.log=all"],
};

describe("every alias means its parameter", () => {
  const names = [...new Set(PARAMETER_ROWS.flatMap(([, row]) => row.aliases.map((alias) => alias.name)))];
  test.each(names)("%s", (name) => {
    const [without = "", used = "", meant = ""] = ALIASES[name] ?? [];
    expect(used.replaceAll("-", "_")).toStartWith(name.replaceAll("-", "_"));
    expect(plan(`${without} ${used}`)).toEqual(plan(`${without} ${meant}`));
    // "single" asks for the default, and nothing else can be seen of it: an explicit rdshell=0 is never taken back.
    if (name !== "single") expect(plan(`${without} ${used}`)).not.toEqual(plan(without));
  });
});

test("no two rows have the same name", () => {
  const names = PARAMETER_ROWS.map(([, row]) => row.name);
  expect(new Set(names).size).toBe(names.length);
  // A name that another row has too has to tell the two apart by its value.
  const plain = PARAMETER_ROWS.flatMap(([, row]) => row.aliases).filter(({ translate }) => translate === undefined);
  for (const { name } of plain) expect(names).not.toContain(name);
});

test("every row is in one group", () => {
  expect(PARAMETER_GROUPS.flatMap(({ rows: inGroup }) => inGroup)).toEqual(PARAMETER_ROWS.map(([, row]) => row));
});

describe("the help text", () => {
  const help = describeParameters(80);
  const flat = help.replace(/\s+/g, " ");

  test.each(rows)("has %s with its default", (_name, _key, row) => {
    expect(help).toContain(`  ${row.syntax}`);
    const fallback = row.fallback === null ? "" : ` Default: ${row.fallback}.`;
    expect(flat).toContain(`${row.text}${fallback}`);
    if (row.fallback === null) expect(flat).not.toContain(`${row.text} Default:`);
    for (const { syntax } of row.aliases) expect(help).toContain(syntax);
  });

  test("fits a terminal", () => {
    const prose = help.split("\n").filter((line) => line.startsWith("      "));
    expect(prose.length).toBeGreaterThan(40);
    for (const line of prose) expect(line.length).toBeLessThanOrEqual(100);
  });
});

test("docs/parameters.md matches the table (bun build/docs.ts writes it)", async () => {
  expect(await Bun.file(new URL("../../../docs/parameters.md", import.meta.url)).text()).toBe(formatParametersPage());
});
