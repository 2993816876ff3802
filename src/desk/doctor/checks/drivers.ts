import { findModule, isBuiltin } from "../../../drivers/index/module-index.ts";
import { resolveModule } from "../../../drivers/index/resolution.ts";
import { scanModules } from "../../../drivers/module-files.ts";
import type { ImageModules } from "../../../drivers/module-source.ts";
import { VOLUME_KINDS } from "../../hints/format-hints.ts";
import type { DriverStep } from "../../hints/schema.ts";
import { FIRMWARE_ENDINGS } from "../../modules/firmware.ts";
import { asksForPassphrase, modulesOfVolume } from "../../modules/host-modules.ts";
import { type Finding, finding } from "../finding.ts";
import type { PlannedPatient } from "../patient.ts";

/** Checks the drivers from the CPU to the disks of the root, and the modules of what lies between. */
export function checkDrivers(patient: PlannedPatient): readonly Finding[] {
  const { needs } = patient;
  const volumes = needs.volumes.flatMap((volume) =>
    modulesOfVolume(volume).flatMap((module) =>
      hasModule(patient.modules, module)
        ? checkModule(patient, module)
        : [finding("layer-missing", { device: volume.device, kind: VOLUME_KINDS[volume.kind], module })],
    ),
  );
  const steps = needs.disks.flatMap(({ drivers }) => drivers);
  return unique([...steps.flatMap((step) => checkStep(patient, step)), ...volumes]);
}

/** Checks whether a person can type: the passphrase, or in a shell. */
export function checkKeyboards(patient: PlannedPatient): readonly Finding[] {
  const { needs, plan } = patient;
  const isLacking = (step: DriverStep) => checkStep(patient, step).some(({ level }) => level === "fatal");
  const lacking = needs.keyboards.flatMap(({ drivers }) => drivers.find(isLacking) ?? []);
  const [first] = lacking;
  if (first === undefined) return [];
  const facts = {
    devices: [...new Set(lacking.map(({ device }) => device))].join(", "),
    module: first.module ?? first.driver,
  };
  const isTyped = asksForPassphrase(needs) && plan.crypt.volumes.every(({ keys }) => keys.length === 0);
  const isAll = lacking.length === needs.keyboards.length;
  return [finding(isTyped && isAll ? "keyboards-missing" : "keyboard-missing", facts)];
}

/** Returns true if the image or its kernel has a module of this name. */
export function hasModule(modules: ImageModules | null, name: string): boolean {
  return modules !== null && (findModule(modules.index, name) !== null || isBuiltin(modules.index, name));
}

function checkStep(patient: PlannedPatient, { device, modalias, module }: DriverStep): readonly Finding[] {
  const { modules, running, release, plan } = patient;
  if (module === null) {
    // What is built into the running kernel may be a module of another one.
    if (modules === null || release === running || modalias === null) return [];
    return resolveModule(modules, modalias).flatMap(({ name }) => checkModule(patient, name));
  }
  const targets = modules === null || modalias === null ? [] : resolveModule(modules, modalias);
  if (!hasModule(modules, module)) {
    const others = targets.map(({ name }) => name).filter((name) => hasModule(modules, name));
    if (others.length > 0) return [finding("driver-other", { device, module, others: others.join(" or ") })];
    return [finding("driver-missing", { device, module })];
  }
  const isBlacklisted =
    targets.some(({ name, blacklisted }) => name === module && blacklisted) && !plan.modules.load.includes(module);
  return [
    ...(isBlacklisted ? [finding("driver-blacklisted", { device, module })] : []),
    ...checkModule(patient, module),
  ];
}

/** Checks that a module of the image, and those that it needs, can be loaded by the kernel. */
export function checkModule({ modules, view, machine, release }: PlannedPatient, module: string): readonly Finding[] {
  if (modules === null) return [];
  return resolveModule(modules, module).flatMap(({ name, actions, missing }) => {
    const paths = actions.flatMap((action) => (action.do === "load" && action.required ? [action.path] : []));
    return [
      ...(missing.length === 0 ? [] : [finding("driver-incomplete", { module: name, missing: missing.join(", ") })]),
      ...scanModules(view, modules.directory, paths).flatMap(({ path, modinfo }) => {
        const own = path.replace(/^.*\/|\.ko.*$/g, "");
        const valuesOf = (key: string) => modinfo.flatMap((line) => (line.key === key ? [line.value] : []));
        const builtFor = valuesOf("vermagic")[0]?.split(" ")[0];
        const isOther = builtFor !== undefined && release !== null && builtFor !== release;
        const has = (system: typeof view, file: string) =>
          FIRMWARE_ENDINGS.some((ending) => system.stat(`/lib/firmware/${file}${ending}`) !== null);
        const files = valuesOf("firmware");
        const lacking = files.some((file) => has(view, file)) ? [] : files.filter((file) => has(machine, file));
        return [
          ...(isOther ? [finding("module-for-other-kernel", { module: own, builtFor, release })] : []),
          ...(lacking.length === 0 ? [] : [finding("firmware-missing", { module: own, files: lacking.join(", ") })]),
        ];
      }),
    ];
  });
}

function unique(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((each) => [each.text, each])).values()];
}
