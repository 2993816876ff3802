import { expect, test } from "bun:test";
import { CommandError } from "../../support/command.ts";
import { isOffered } from "../../support/kernels.ts";

test("a release that the mirror has dropped is no failure, and anything else that apt reports is", async () => {
  const refuse = (error: Error) => () => Promise.reject(error);
  // apt-get update of Debian 9, whose packages were moved to the archive.
  const dropped = "E: The repository 'http://mirror.example/debian stretch Release' does not have a Release file.";
  expect(await isOffered("bullseye", refuse(new CommandError(["apt-get"], 100, dropped)))).toBe(false);
  const offline = new CommandError(["apt-get"], 100, "E: Failed to fetch: Could not resolve 'mirror.example'");
  await expect(isOffered("bullseye", refuse(offline))).rejects.toBe(offline);
  await expect(isOffered("bullseye", refuse(new Error("does not have a Release file")))).rejects.toThrow();
});
