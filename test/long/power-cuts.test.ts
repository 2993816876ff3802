import { testPowerCuts } from "../support/power-rounds.ts";

// POWER_CUTS=N for another number, POWER_SEED=N for the moments of an earlier run; -t "(4)" is one disk of them.
testPowerCuts(Number(process.env["POWER_CUTS"] ?? 60));
