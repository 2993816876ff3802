import { expect, test } from "bun:test";
import { readBuildTime } from "../../../build/build-time.ts";

test("the time of a build is that of the newest commit, or $SOURCE_DATE_EPOCH, and a machine without git can build", () => {
  expect(readBuildTime({ SOURCE_DATE_EPOCH: "86400" })).toBe(86_400);
  expect(readBuildTime({ PATH: "/nonexistent" })).toBe(0);
  expect(readBuildTime({ PATH: "/nonexistent", SOURCE_DATE_EPOCH: "x; reboot" })).toBe(0);
});
