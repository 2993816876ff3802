import { type BlockDevice, describeDevice } from "../../devices/block-devices.ts";
import { decodeText } from "../../formats/text.ts";
import { type BootRecord, formatKernelLog, formatMessages } from "../../log/boot-record.ts";
import type { Machine } from "../../machine/machine.ts";
import { bytesOrNone } from "../../machine/small-files.ts";
import { hideSecrets, listSecrets } from "../../parameters/secrets.ts";
import { orIfRefused } from "../../problems/errors.ts";
import { printable } from "../../problems/report.ts";

/** A log as text for a person, and as JSON for programs: the record of the boot with `devices` and `kernelLog`. */
export interface LogFiles {
  readonly txt: string;
  readonly json: string;
}

/** Makes the files of a log, without the passwords of the command line, which the kernel prints in more than one form. */
export function makeLogFiles(machine: Machine, record: BootRecord, devices: readonly BlockDevice[]): LogFiles {
  const secrets = listSecrets(decodeText(bytesOrNone(machine, "/proc/cmdline")));
  const hide = (line: string) => secrets.reduce((text, secret) => text.replaceAll(secret, "…"), hideSecrets(line));
  const kernelLog = orIfRefused(() => formatKernelLog(machine.readKernelLog()), []).map(hide);
  const seen = devices.map(describeDevice);
  const parts = [
    [`levain ${record.levain} on Linux ${record.kernel}`, `command line: ${record.commandLine}`],
    ["THE FAILURE", ...record.failure],
    ["DEVICES", ...seen],
    ["MESSAGES", ...formatMessages(record)],
    ["KERNEL LOG", ...kernelLog],
  ];
  const text = parts.map((lines) => lines.map((line) => printable(hide(line))).join("\n")).join("\n\n");
  const json = JSON.stringify({ ...record, devices: seen, kernelLog }, null, 1);
  return { txt: `${text}\n`, json: `${json}\n` };
}
