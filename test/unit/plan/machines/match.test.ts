import { expect, test } from "bun:test";
import { findMachines, type MachineIdentity } from "../../../../src/plan/machines/match.ts";

const MACHINE: MachineIdentity = {
  macs: ["52:54:00:12:34:56", "52:54:00:12:34:57"],
  uuid: "4C4C4544-0042-3510-8052-B4C04F4E4732",
  serial: "B5R42N2",
  product: "PowerEdge R640",
  hostname: "node7",
};

test("a table is for a machine by any name of it, and the most specific one counts last", () => {
  const names = [
    "52-54-00-12-34-57",
    "b5r42n2",
    "other",
    "NODE7",
    "PowerEdge R640",
    "4c4c4544-0042-3510-8052-b4c04f4e4732",
  ];
  expect(findMachines(names, MACHINE)).toEqual([
    "PowerEdge R640",
    "NODE7",
    "b5r42n2",
    "4c4c4544-0042-3510-8052-b4c04f4e4732",
    "52-54-00-12-34-57",
  ]);
});

test("what is not known has no name", () => {
  const unknown = { macs: [], uuid: null, serial: null, product: null, hostname: null };
  expect(findMachines(["null", "", "undefined", "52:54:00:12:34:56"], unknown)).toEqual([]);
});
