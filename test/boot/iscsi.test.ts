import { expect, test } from "bun:test";
import { ELF, type FakeBootOptions, fakeBoot, INITRAMFS, rootImage } from "../support/fake-boot.ts";
import type { FakeIscsiServer } from "../support/fake-iscsi.ts";

const IQN = "iqn.2024-01.org.example:disk";
const OWN = "iqn.2024-01.org.example:node7";
const PASSWORD = "correct-horse";
const SERVER: FakeIscsiServer = { targets: { [IQN]: rootImage() } };
const FILES = { ...INITRAMFS, "/sbin/iscsistart": { data: ELF, mode: 0o755 } };
const STATIC = "ip=192.0.2.5/24:::::eth0:none rdshell=0 rd.emergency=poweroff";
const BY_NETROOT = `root=LABEL=ROOT netroot=iscsi:192.0.2.1::::${IQN}`;

const boot = (cmdline: string, server: FakeIscsiServer = SERVER, more: FakeBootOptions = {}) =>
  fakeBoot({
    cmdline: `${cmdline} ${STATIC}`,
    cards: [{ name: "eth0", mac: "52:54:00:00:00:01" }],
    files: { ...FILES, "/etc/iscsi/initiatorname.iscsi": `InitiatorName=${OWN}\n` },
    iscsi: { "192.0.2.1:3260": server, "2001:db8::1:3261": server },
    ...more,
  });

test.each([
  BY_NETROOT,
  `root=LABEL=ROOT netroot=iscsi:192.0.2.1:6:3260:1:${IQN}`,
  `root=LABEL=ROOT netroot=iscsi:192.0.2.1:::if0:eth0:0:${IQN}`,
  `root=LABEL=ROOT netroot=iscsi:[2001:db8::1]::3261::${IQN}`,
  `root=LABEL=ROOT rd.iscsi.target.name=${IQN} rd.iscsi.target.ip=192.0.2.1`,
  `root=LABEL=ROOT iscsi_target_name=${IQN} iscsi_target_ip=192.0.2.1 iscsi_target_port=3260 iscsi_target_group=1`,
])("%s", (cmdline) => {
  const { end, mounts, journal } = boot(cmdline);
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(mounts).toContain("/sysroot ext4 /dev/sda");
  expect(journal).toContain("write /run/network/ifstate");
});

test("names, passwords and settings reach iscsistart, and no message", () => {
  const wants = ["-i", OWN, "-u", "node7", "-w", PASSWORD, "-U", "store", "-W", "in-secret", "-g", "2"];
  const parameters = `rd.iscsi.username=node7 rd.iscsi.password=${PASSWORD} rd.iscsi.in.username=store rd.iscsi.in.password=in-secret`;
  for (const cmdline of [
    `${BY_NETROOT} ${parameters} rd.iscsi.target.group=2`,
    `root=LABEL=ROOT netroot=iscsi:node7:${PASSWORD}:store:in-secret@192.0.2.1::::${IQN} iscsi_target_group=2`,
  ]) {
    const { end, console, record, journal } = boot(cmdline, { ...SERVER, wants });
    expect(end).toMatchObject({ mode: "switch_root" });
    for (const text of [console, journal.join("\n"), JSON.stringify(record)]) {
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain("in-secret");
    }
  }
});

test("a mistake beside a password does not print it", () => {
  for (const cmdline of [
    `root=LABEL=ROOT netroot=iscsi:node7:${PASSWORD}@192.0.2.1:::no-target`,
    `root=LABEL=ROOT netroot=iscsi:node7:${PASSWORD}:half@192.0.2.1::::${IQN}`,
    `root=iscsi:node7:${PASSWORD}@192.0.2.1::::${IQN}`,
    `${BY_NETROOT} rd.iscsi.param="node.session.auth.password_in=${PASSWORD} and more"`,
  ]) {
    const { end, console, record } = boot(cmdline);
    expect(end).toBe("poweroff");
    expect(record.failure?.join("\n")).toMatch(/(?:netroot=iscsi:|root=iscsi:|password_in=)…: Expected/);
    expect(JSON.stringify(record)).not.toContain(PASSWORD);
    expect(console).not.toContain(PASSWORD);
  }
});

test("a server that starts 22 s later is found, and within 5 s a line says what is waited for", () => {
  const { end, endMs, record } = boot(BY_NETROOT, { ...SERVER, fromMs: 23_000 });
  expect(end).toMatchObject({ mode: "switch_root" });
  expect(endMs).toBeLessThan(26_000);
  const said = record.messages.find(({ text }) => text.includes("port 3260: the connection was refused"));
  const step = record.steps.find(({ name }) => name === "root");
  expect((said?.atMs ?? Number.NaN) - (step?.startMs ?? 0)).toBeLessThan(5000);
});

test.each([
  ["a target that does not exist", { targets: {} }, {}, "iscsistart ended with status 19"],
  ["a wrong password", { ...SERVER, wants: ["other"] }, {}, "the target refused the user name or the password"],
  ["an image without the program", SERVER, { files: INITRAMFS }, "--program /sbin/iscsistart"],
  ["a machine without a name", SERVER, { files: FILES }, "rd.iscsi.initiator=iqn"],
] satisfies readonly (readonly [string, FakeIscsiServer, FakeBootOptions, string])[])(
  "%s ends in a report at the timeout",
  (_, server, more, text) => {
    const { end, console, endMs } = boot(`${BY_NETROOT} rd.timeout=10`, server, more);
    expect(end).toBe("poweroff");
    expect(endMs).toBeLessThan(15_000);
    expect(console).toContain(text);
  },
);

test("root=iscsi:… is refused with what to write instead", () => {
  const { record } = boot(`root=iscsi:192.0.2.1::::${IQN}`);
  expect(record.failure?.join("\n")).toContain("the target in netroot=iscsi:…");
});
