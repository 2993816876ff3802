import { testSync } from "../support/sync/sync-test.ts";

testSync({ trees: 50, cuts: 60, timeoutMs: 1_800_000 });
