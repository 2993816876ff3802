import { distributionTest } from "../support/distributions/guest.ts";

// A link to a module of another kernel, modules compressed with zstd, twenty blacklisted filesystems: the others are in long/.
distributionTest("openSUSE", "openSUSE Tumbleweed");
