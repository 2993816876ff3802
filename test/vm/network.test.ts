import { expect } from "bun:test";
import { rootImage } from "../support/filesystem-images.ts";
import { levainGuest } from "../support/levain-guest.ts";
import { vmTest } from "../support/vm-test.ts";

const card = (id: string) => [
  "-netdev",
  `user,id=${id},restrict=on,ipv6=off`,
  "-device",
  `virtio-net-pci,netdev=${id}`,
];

vmTest(
  "the network is up at the handover: a bond by DHCP, and a VLAN",
  async () =>
    levainGuest({
      disks: [await rootImage("ext4", { label: "ROOT" })],
      image: { words: ["--network"] },
      extra: [...card("one"), ...card("two")],
      cmdline:
        "root=LABEL=ROOT rd.neednet=1 bond=bond0:eth0:mode=active-backup,miimon=100 ip=bond0:dhcp vlan=vlan5:eth1 ip=192.0.2.8/24:::::vlan5:none",
    }),
  async (vm) => {
    await vm.expect(/network {3}bond0 10\.0\.2\.15\/24 by DHCP from 10\.0\.2\.2; vlan5\s+192\.0\.2\.8\/24 static/);
    await vm.expect("small-root: ready");
    vm.send(
      "cat /sys/class/net/bond0/bonding/mode /proc/net/vlan/vlan5; cat /run/net-bond0.conf; ls /run/systemd/network; echo end\n",
    );
    const [all] = await vm.expect(/active-backup 1\n[\s\S]*\nend\n/);
    expect(all).toMatch(/VID: 5/);
    expect(all).toContain("IPV4ADDR='10.0.2.15'");
    expect(all).toContain("ROOTSERVER='10.0.2.2'");
    expect(all).toContain("98-levain-bond0.network");
  },
);
