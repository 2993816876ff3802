import { planMachine } from "../../../boot/plan-reader.ts";
import { connect, describeNetwork } from "../../../boot/steps/network.ts";
import { createLoader, filesystemLoader } from "../../../drivers/loader.ts";
import { readRecord } from "../../../log/boot-record.ts";
import { orIfFailed } from "../../../problems/errors.ts";
import { createHeldTerminals } from "../../../prompt/held-terminals.ts";
import { readKept } from "../../shell.ts";
import { describeDevices } from "../devices.ts";
import { switchPower } from "../power.ts";
import { keepParameters } from "../retry.ts";
import { saveLogTo } from "../save-log.ts";
import { describeStatus } from "../status.ts";
import { unlockVolumes } from "../unlock.ts";
import { chooseNumber } from "./choose.ts";
import { loadDriver } from "./driver.ts";
import { editParameters } from "./edit.ts";
import { listRoots } from "./roots.ts";
import { listSkips } from "./skips.ts";
import { attempt, type MenuEnd, type MenuTools, showAndWait } from "./tools.ts";
import { leaveOutImage } from "./without-image.ts";

/** An entry of the menu. */
export interface Item {
  readonly key: string;
  /** At most 16 characters: two columns fit a terminal of 40. */
  readonly name: string;
  readonly text: string;
  /** Also where rdshell=0 forbids a shell: it gives none, and changes nothing of the boot. */
  readonly isHarmless?: true;
  /** null: the menu is shown again. */
  readonly run: (tools: MenuTools) => MenuEnd | null;
}

/** THE table of the menu. */
export const ITEMS: readonly Item[] = [
  { key: "r", name: "retry", text: "run the step that failed again", isHarmless: true, run: () => "retry" },
  { key: "d", name: "choose a root", text: "boot a system from another device", run: chooseRoot },
  { key: "e", name: "edit parameters", text: "change the kernel command line for this boot", run: editParameters },
  { key: "u", name: "unlock", text: "open encrypted volumes", run: unlock },
  { key: "k", name: "skip a part", text: "boot without the network, fstab, ...", run: skip },
  { key: "m", name: "load a driver", text: "load a kernel module", run: loadDriver },
  { key: "n", name: "network", text: "bring the network up by DHCP", run: bringUp },
  { key: "i", name: "information", text: "the report, the steps and the disks", run: inform },
  { key: "l", name: "save the log", text: "write the messages of this boot to a stick", run: saveLog },
  { key: "s", name: "shell", text: "start a shell; exit retries the boot", run: () => "shell" },
  { key: "b", name: "reboot", text: "start the machine again", isHarmless: true, run: power("reboot") },
  { key: "o", name: "power off", text: "switch the machine off", isHarmless: true, run: power("poweroff") },
];

function chooseRoot(tools: MenuTools): MenuEnd | null {
  const { machine, screen } = tools;
  const silent = { ...tools.voice, warn: () => undefined };
  const plan = orIfFailed(() => planMachine(machine, silent, { added: readKept(machine) }).plan, null);
  const drivers = filesystemLoader(machine, silent, plan?.modules);
  for (;;) {
    screen.show(["looking at the disks ..."]);
    const roots = listRoots(machine, drivers);
    if (roots.length === 0) screen.show(describeDevices(machine));
    const chosen = chooseNumber(screen, roots);
    if (chosen === null) return null;
    const { words, device } = chosen;
    if (words !== null) {
      if (attempt(tools, () => keepRoot(tools, words)) !== null) return "retry";
      continue;
    }
    unlockOne(tools, device.node);
  }
}

function keepRoot({ machine, screen, voice }: MenuTools, words: readonly string[]): readonly string[] {
  const more = leaveOutImage(machine, { ...voice, warn: () => undefined }, words);
  if (more.length > 0) screen.show([`what the command line says of an image is left out: ${more.join(" ")}`]);
  return keepParameters(machine, [...words, ...more]);
}

function unlock(tools: MenuTools): null {
  unlockOne(tools, null);
  showAndWait(tools, []);
  return null;
}

function unlockOne(tools: MenuTools, device: string | null): void {
  const { machine, screen, voice } = tools;
  const question = { device, name: null, keyFile: null };
  const open = () => unlockVolumes(machine, question, voice, createHeldTerminals(machine));
  const opened = attempt(tools, () => screen.aside(open));
  screen.show(opened ?? []);
}

function skip(tools: MenuTools): MenuEnd | null {
  const { machine, screen, voice } = tools;
  const plan = attempt(tools, () => planMachine(machine, voice, { added: readKept(machine) }).plan);
  const skips = plan === null ? [] : listSkips(plan);
  if (skips.length === 0) screen.show(["nothing of this boot can be left out"]);
  const chosen = chooseNumber(screen, skips);
  if (chosen === null) return null;
  keepParameters(machine, chosen.words);
  return "retry";
}

function bringUp(tools: MenuTools): null {
  const { machine, screen, voice } = tools;
  const added = [...readKept(machine), "rd.neednet=1"];
  attempt(tools, () => {
    screen.show(["bringing the network up ..."]);
    const { plan } = planMachine(machine, voice, { added });
    const drivers = createLoader(machine, { ...plan.modules, load: [] }, voice);
    const up = connect({ machine, drivers, voice, undo: () => undefined }, plan.network);
    screen.show([describeNetwork(up, plan.network)]);
  });
  showAndWait(tools, []);
  return null;
}

function inform(tools: MenuTools): null {
  const { machine } = tools;
  attempt(tools, () => showAndWait(tools, [...(describeStatus(machine) ?? []), "", ...describeDevices(machine)]));
  return null;
}

function saveLog(tools: MenuTools): null {
  const { machine, screen, voice } = tools;
  screen.show(describeDevices(machine));
  const place = screen.ask("device, or Enter for the one labelled LEVAIN-LOG> ");
  if (place === null || readRecord(machine) === null) return null;
  const saved = attempt(tools, () => saveLogTo(machine, place === "" ? null : place, voice));
  showAndWait(tools, saved === null ? [] : [saved]);
  return null;
}

function power(action: "reboot" | "poweroff"): Item["run"] {
  return (tools) => {
    attempt(tools, () => tools.screen.aside(() => switchPower(tools.machine, action)));
    showAndWait(tools, []);
    return null;
  };
}
