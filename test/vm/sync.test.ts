import { testSync } from "../support/sync/sync-test.ts";

// long/sync.test.ts has fifty trees.
testSync({ trees: 12, cuts: 16, timeoutMs: 600_000 });
