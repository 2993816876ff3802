import { expect } from "bun:test";
import { encryptedVolume, LUKS_UUID, PASSPHRASE } from "../support/encrypted-volumes.ts";
import { floodedGuest } from "../support/flooded-guest.ts";
import { PROMPT } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

// As many changes as the kernel can report: test/long/event-floods.test.ts.

vmTest(
  "beside 100 changes a second, rd.timeout= holds, a passphrase is typed and accepted, the prompt does not move, and the boot goes on",
  async () => floodedGuest((await encryptedVolume("vault")).volume, 10, "root=LABEL=NONE rd.timeout=3"),
  async (vm) => {
    await vm.expect('no device with label "NONE" appeared within 3 s');
    await vm.expect(PROMPT);
    vm.send(`levain retry rd.luks.name=${LUKS_UUID.vault}=vault root=/dev/mapper/vault\n`);
    await vm.expect("passphrase: ");
    await vm.pause(3000);
    const drawn = () => vm.log().split("passphrase: ").length - 1;
    const before = drawn();
    await vm.pause(4000);
    expect(drawn() - before).toBeLessThan(10);
    for (const key of `${PASSPHRASE}\n`) {
      vm.send(key);
      await Bun.sleep(50);
    }
    await vm.expect("small-root: ready");
  },
);
