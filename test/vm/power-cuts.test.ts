import { testPowerCuts } from "../support/power-rounds.ts";

// Each cut costs a boot: long/power-cuts.test.ts has sixty of them.
testPowerCuts(3);
