import * as crypt from "../crypt/values.ts";
import { list, single } from "../parameter.ts";
import * as values from "../values.ts";

/** What is unlocked before the root is looked for, and how. */
export const CRYPT = {
  luks: single(values.flag, {
    syntax: "rd.luks[=yes|no]",
    aliases: ["luks[=yes|no]"],
    bare: "1",
    fallback: "yes",
    text: "rd.luks=0: no encrypted device is opened at all.",
    example: "rd.luks.uuid=c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c rd.luks=0",
  }),
  luksUuids: list(crypt.uuids, {
    syntax: "rd.luks.uuid=UUID",
    aliases: ["luks.uuid=UUID"],
    fallback: "a root= that is a LUKS volume is opened, and what /etc/crypttab of the image names",
    text: "Open the LUKS volume with this UUID, or with one that begins like this; a luks- in front may stay. Without rd.luks.name= it becomes /dev/mapper/luks-UUID. May be given several times. With it or rd.luks.name=, only those volumes of /etc/crypttab are opened that are named here too.",
    example: "rd.luks.uuid=luks-c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c",
  }),
  luksNames: list(crypt.names, {
    syntax: "rd.luks.name=UUID=NAME",
    aliases: ["luks.name=UUID=NAME"],
    fallback: "luks-UUID",
    text: "Open the LUKS volume with this UUID as /dev/mapper/NAME.",
    example: "rd.luks.name=c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c=root",
  }),
  luksPartuuids: list(crypt.partuuids, {
    syntax: "rd.luks.partuuid=PARTUUID",
    fallback: "none",
    text: "Open the LUKS volume on the partition with this PARTUUID; the other words of rd.luks may call it by that.",
    example: "rd.luks.partuuid=0c7c1a32-02",
  }),
  luksKeys: list(crypt.places, {
    syntax: "rd.luks.key=[UUID=]PATH[:DEVICE]|DEVICE",
    aliases: ["luks.key=[UUID=]PATH[:DEVICE]|DEVICE"],
    fallback: "a person is asked; a file /etc/cryptsetup-keys.d/NAME.key of the image is a key",
    text: "A key file, for all LUKS volumes or the one with this UUID; may be given several times, the order is kept. Without DEVICE it is a file of the image or, where there is none, of any device. A DEVICE alone is a key itself: see keyfile-offset= and keyfile-size= of rd.luks.options=. All bytes of a key file count, a line feed at its end too. dracut's PATH:DEVICE:UUID=… works as well.",
    example: "rd.luks.uuid=c1b72fc6 rd.luks.key=/root.key:LABEL=KEYS",
  }),
  luksOptions: list(crypt.options, {
    syntax: "rd.luks.options=[UUID=]OPTION[,OPTION…]",
    aliases: ["luks.options=[UUID=]OPTION[,OPTION…]"],
    fallback: "tries=5,keyfile-timeout=10; max-kdf=60 for a volume that only rd.auto means",
    text: "Options for all LUKS volumes, or for the one with this UUID; those are stronger, and both are stronger than /etc/crypttab. discard, no-read-workqueue, no-write-workqueue, same-cpu-crypt, submit-from-crypt-cpus, high-priority, readonly, nofail, tries=NUMBER (0: for ever), timeout=TIME, key-slot=NUMBER, header=PATH[:DEVICE], keyfile-offset=BYTES, keyfile-size=BYTES, keyfile-timeout=TIME (then a person is asked; 0: never), max-kdf=TIME (a keyslot whose key takes longer to derive is not tried; 0: no limit), insecure-null.",
    example: "rd.luks.uuid=c1b72fc6 rd.luks.options=discard,tries=3",
  }),
  luksHeaders: list(crypt.places, {
    syntax: "rd.luks.header=[UUID=]PATH[:DEVICE]|DEVICE",
    aliases: ["luks.header=[UUID=]PATH[:DEVICE]|DEVICE"],
    fallback: "on the volume itself",
    text: "Where the detached header of a LUKS volume is, as in rd.luks.key=; rd.luks.data= says where its data are.",
    example:
      "rd.luks.uuid=c1b72fc6 rd.luks.data=c1b72fc6=PARTLABEL=data rd.luks.header=c1b72fc6=/root.header:LABEL=KEYS",
  }),
  luksData: list(crypt.data, {
    syntax: "rd.luks.data=UUID=DEVICE",
    aliases: ["luks.data=UUID=DEVICE"],
    fallback: "the device with that UUID",
    text: "The device with the data of the LUKS volume with this UUID: needed with a detached header, for then nothing else can tell it.",
    example: "rd.luks.uuid=c1b72fc6 rd.luks.data=c1b72fc6=PARTLABEL=data",
  }),
  luksTimeoutMs: single(values.waitingTimeMs, {
    syntax: "rd.luks.timeout=SECONDS",
    fallback: "0, for ever",
    text: "How long a prompt waits for an answer; then the boot fails.",
    example: "rd.luks.uuid=c1b72fc6 rd.luks.timeout=60",
  }),
  luksKeyTimeoutMs: single(crypt.seconds, {
    syntax: "rd.luks.key.tout=SECONDS",
    fallback: "10",
    text: "How long to wait for the device with a key file before a person is asked.",
    example: "rd.luks.uuid=c1b72fc6 rd.luks.key.tout=30",
  }),
  luksDiscards: list(crypt.discards, {
    syntax: "rd.luks.allow-discards[=UUID]",
    bare: "1",
    fallback: "what the header says",
    text: "The option discard, for all LUKS volumes or the one with this UUID: free blocks are told to the disk, which then shows where they are.",
    example: "rd.luks.uuid=c1b72fc6 rd.luks.allow-discards",
  }),
  luksCrypttab: single(values.flag, {
    syntax: "rd.luks.crypttab[=yes|no]",
    aliases: ["luks.crypttab[=yes|no]"],
    bare: "1",
    fallback: "yes",
    text: "rd.luks.crypttab=0: do not read the image's /etc/crypttab.",
    example: "rd.luks.crypttab=0",
  }),
  auto: single(values.flag, {
    syntax: "rd.auto[=yes|no]",
    bare: "1",
    fallback: "no",
    text: "Open every LUKS volume that appears.",
    example: "rd.auto",
  }),
  plains: list(crypt.plains, {
    syntax: "rd.crypt.plain=DEVICE:NAME[:OPTION,…]",
    fallback: "none",
    text: "Open DEVICE as plain dm-crypt, without any header: hash=, cipher=, size= (bits of the key), offset=, skip=, device-size= (sectors of 512 bytes), sector-size=, and the options of rd.luks.options=. What is not said is cryptsetup's default since 2.7 (aes-xts-plain64, 256 bits, sha256); defaults=old: what it was before (aes-cbc-essiv:sha256, 256 bits, ripemd160). May be given several times.",
    example: "rd.crypt.plain=SIBLING=2:LABEL=KEYS:root:cipher=aes-xts-plain64,size=512,hash=sha512",
  }),
  keymap: single(crypt.keymap, {
    syntax: "rd.vconsole.keymap=NAME",
    aliases: ["vconsole.keymap=NAME"],
    fallback: "the first that levain image --keymap put into the image, else the kernel's own (US)",
    text: "The keymap of the image in which passphrases are typed on a screen.",
    example: "rd.vconsole.keymap=de-latin1",
  }),
};
