import { parseCryptKey, parsePlace } from "../crypt/place.ts";
import { parseLuksId, parseMapperName, parseSpelledDevice } from "../crypt/text.ts";
import * as crypt from "../crypt/values.ts";
import { genkernelVolume } from "../dialects/genkernel.ts";
import { alias, list, single, toggle } from "../parameter.ts";
import * as values from "../values.ts";
import { overlayrootVolume } from "./overlay.ts";

/** systemd accepts these without the "rd." that keeps them to the initramfs. */
const withoutRd = (syntax: string) => ({ syntax: `rd.${syntax}`, aliases: [syntax] });

/** Encrypted devices: which to unlock before the search for the root, and how. */
export const CRYPT = {
  luks: toggle({
    ...withoutRd("luks[=yes|no]"),
    fallback: "yes",
    text: "rd.luks=0: unlock no encrypted device.",
    example: "rd.luks.uuid=c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c rd.luks=0",
  }),
  luksUuids: list(parseLuksId, {
    ...withoutRd("luks.uuid=UUID"),
    fallback: "levain unlocks a root= that is a LUKS volume, and the volumes of the image's /etc/crypttab",
    text: "Unlock the LUKS volume with this UUID, or with a UUID that begins with this text; a prefix luks- is accepted. Without rd.luks.name= it becomes /dev/mapper/luks-UUID. May be given several times. With this parameter or rd.luks.name=, a volume of /etc/crypttab is unlocked only if it is named here too.",
    example: "rd.luks.uuid=luks-c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c",
  }),
  luksNames: list(crypt.nameOfLuks, {
    ...withoutRd("luks.name=UUID=NAME"),
    fallback: "luks-UUID",
    text: "Unlock the LUKS volume with this UUID as /dev/mapper/NAME.",
    example: "rd.luks.name=c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c=root",
  }),
  luksPartuuids: list(crypt.partuuid, {
    syntax: "rd.luks.partuuid=PARTUUID",
    text: "Unlock the LUKS volume on the partition with this PARTUUID, which then stands for the UUID in the other rd.luks parameters.",
    example: "rd.luks.partuuid=0c7c1a32-02",
  }),
  luksLabels: list(crypt.luksLabel, {
    syntax: "rd.luks.label=LABEL",
    text: "Unlock the LUKS2 volume whose header has this label as /dev/mapper/luks-UUID. A key or options for it are those for all LUKS volumes.",
    example: "rd.luks.label=SYSTEM",
  }),
  luksKeys: list(crypt.ownedPlace, {
    ...withoutRd("luks.key=[UUID=]PATH[:DEVICE]|DEVICE"),
    fallback: "levain asks for a passphrase; a file /etc/cryptsetup-keys.d/NAME.key of the image is a key",
    text: "A key file for all LUKS volumes, or for the one with this UUID. May be given several times; the keys are tried in this order. Without DEVICE the file is in the image or, if the image lacks it, on any device. A DEVICE alone is the key itself: see keyfile-offset= and keyfile-size= of rd.luks.options=. All bytes of a key file count, including a newline at its end. dracut's PATH:DEVICE:UUID=… is accepted too, and its PATH:/ for a file of the image.",
    example: "rd.luks.uuid=c1b72fc6 rd.luks.key=/root.key:LABEL=KEYS",
  }),
  luksOptions: list(crypt.ownedOptions, {
    ...withoutRd("luks.options=[UUID=]OPTION[,OPTION…]"),
    fallback: "tries=5,keyfile-timeout=10; max-kdf=60 for a volume that only rd.auto unlocks",
    text: "Options for all LUKS volumes, or for the one with this UUID. Options for one volume override those for all, and both override /etc/crypttab. The options: discard, no-read-workqueue, no-write-workqueue, same-cpu-crypt, submit-from-crypt-cpus, high-priority, readonly, nofail, tries=NUMBER (0: no limit), timeout=TIME, key-slot=NUMBER, header=PATH[:DEVICE], keyfile-offset=BYTES, keyfile-size=BYTES, keyfile-timeout=TIME (then levain asks for a passphrase; 0: no limit), max-kdf=TIME (a keyslot with a longer key derivation is skipped; 0: no limit), insecure-null (a cipher that does not encrypt is accepted).",
    example: "rd.luks.uuid=c1b72fc6 rd.luks.options=discard,tries=3",
  }),
  luksHeaders: list(crypt.ownedPlace, {
    ...withoutRd("luks.header=[UUID=]PATH[:DEVICE]|DEVICE"),
    fallback: "on the volume itself",
    text: "The detached header of a LUKS volume, as in rd.luks.key=; rd.luks.data= names the data device.",
    example:
      "rd.luks.uuid=c1b72fc6 rd.luks.data=c1b72fc6=PARTLABEL=data rd.luks.header=c1b72fc6=/root.header:LABEL=KEYS",
  }),
  luksData: list(crypt.dataDevice, {
    ...withoutRd("luks.data=UUID=DEVICE"),
    fallback: "the device with that UUID",
    text: "The data device of the LUKS volume with this UUID. It is needed with a detached header, because nothing else identifies the device.",
    example: "rd.luks.uuid=c1b72fc6 rd.luks.data=c1b72fc6=PARTLABEL=data",
  }),
  luksTimeoutMs: single(values.waitingTimeMs, {
    syntax: "rd.luks.timeout=SECONDS",
    fallback: "0, no limit",
    text: "How long a prompt waits for a passphrase before the boot fails.",
    example: "rd.luks.uuid=c1b72fc6 rd.luks.timeout=60",
  }),
  luksKeyTimeoutMs: single(crypt.seconds, {
    syntax: "rd.luks.key.tout=SECONDS",
    fallback: "10",
    text: "How long to wait for the device with a key file before levain asks for a passphrase.",
    example: "rd.luks.uuid=c1b72fc6 rd.luks.key.tout=30",
  }),
  luksDiscards: list(crypt.discards, {
    syntax: "rd.luks.allow-discards[=UUID]",
    bare: "1",
    fallback: "as the header says",
    text: "Set the option discard for all LUKS volumes, or for the one with this UUID: the disk learns which blocks are free, and so does anyone who reads it.",
    example: "rd.luks.uuid=c1b72fc6 rd.luks.allow-discards",
  }),
  luksCrypttab: toggle({
    ...withoutRd("luks.crypttab[=yes|no]"),
    fallback: "yes",
    text: "rd.luks.crypttab=0: do not read the image's /etc/crypttab.",
    example: "rd.luks.crypttab=0",
  }),
  auto: toggle({
    syntax: "rd.auto[=yes|no]",
    text: "Unlock every LUKS volume that appears.",
    example: "rd.auto",
  }),
  plains: list(crypt.plainVolume, {
    syntax: "rd.crypt.plain=DEVICE:NAME[:OPTION,…]",
    text: "Open DEVICE as plain dm-crypt, without a header. The options are hash=, cipher=, size= (bits of the key), offset=, skip=, device-size= (sectors of 512 bytes), sector-size=, and those of rd.luks.options=. The defaults are those of cryptsetup since 2.7 (aes-xts-plain64, 256 bits, sha256); defaults=old selects the earlier ones (aes-cbc-essiv:sha256, 256 bits, ripemd160). May be given several times.",
    example: "rd.crypt.plain=SIBLING=2:LABEL=KEYS:root:cipher=aes-xts-plain64,size=512,hash=sha512",
  }),
  keymap: single(crypt.keymap, {
    ...withoutRd("vconsole.keymap=NAME"),
    fallback: "the first keymap of levain image --keymap, else the kernel's own (US)",
    text: "The keymap, one of the image's, for passphrases that are typed on a screen.",
    example: "rd.vconsole.keymap=de-latin1",
  }),
};

/** Encrypted devices in the parameters of mkinitcpio, Alpine's mkinitfs and Debian's cryptsetup-initramfs. */
export const CRYPT_DIALECTS = {
  cryptDevice: single(crypt.cryptDevice, {
    syntax: "cryptdevice=DEVICE:NAME[:OPTION,…]",
    text: "mkinitcpio: unlock DEVICE as /dev/mapper/NAME, as LUKS or, with crypto= and if it is not LUKS, as plain dm-crypt. The options are those of rd.luks.options=; allow-discards means discard. The key is that of cryptkey=, or /crypto_keyfile.bin of the image.",
    example: "cryptdevice=UUID=c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c:root:allow-discards",
  }),
  cryptKey: single(parseCryptKey, {
    syntax: "cryptkey=DEVICE:TYPE:PATH|DEVICE:OFFSET:SIZE|rootfs:PATH|PATH",
    bare: "yes",
    fallback: "levain asks for a passphrase; a file /crypto_keyfile.bin of the image is a key",
    text: "The key for cryptdevice= and cryptroot=: a file on a device (TYPE is its filesystem, or auto), bytes of a device, or a file of the image.",
    example: "cryptdevice=/dev/sda2:root cryptkey=LABEL=KEYS:vfat:/root.key",
  }),
  crypto: single(crypt.crypto, {
    syntax: "crypto=HASH:CIPHER:KEYBITS:OFFSET:SKIP",
    fallback: "cryptdevice= is a LUKS volume",
    text: "mkinitcpio: cryptdevice= is a plain volume if it is not LUKS; an empty field means the default of rd.crypt.plain=.",
    example: "cryptdevice=/dev/sda2:root crypto=sha512:aes-xts-plain64:512:0:",
  }),
  cryptRoot: single(parseSpelledDevice, {
    syntax: "cryptroot=DEVICE",
    text: "Alpine: unlock the LUKS volume DEVICE, with the key of cryptkey=.",
    example: "cryptroot=UUID=c1b72fc6-24b1-4bd1-9c81-3d3cc7ee1e5c",
  }),
  cryptName: single(parseMapperName, {
    syntax: "cryptdm=NAME",
    fallback: "luks-UUID",
    text: "The name of cryptroot= below /dev/mapper.",
    example: "cryptroot=/dev/sda2 cryptdm=root",
  }),
  cryptHeader: single(parsePlace, {
    syntax: "cryptheader=PATH|DEVICE",
    fallback: "on the volume itself",
    text: "The detached header of cryptroot=.",
    example: "cryptroot=/dev/sda2 cryptheader=/dev/sdb1",
  }),
  cryptDiscards: toggle({
    syntax: "cryptdiscards[=yes|no]",
    text: "Set the option discard for cryptroot=.",
    example: "cryptroot=/dev/sda2 cryptdiscards",
  }),
  cryptOpts: list(crypt.cryptOpts, {
    syntax: "cryptopts=source=DEVICE[,target=NAME][,key=PATH][,OPTION…]",
    aliases: [
      alias("overlayroot=crypt:dev=DEVICE[,mapname=NAME]", overlayrootVolume),
      alias("crypt_root=DEVICE", genkernelVolume),
    ],
    text: "Debian: unlock DEVICE as /dev/mapper/NAME (default cryptroot), with the options of crypttab. May be given several times.",
    example: "cryptopts=target=root,source=/dev/sda2,luks",
  }),
};
