import { parseCryptKey, parsePlace } from "../crypt/place.ts";
import { parseMapperName, parseSpelledDevice } from "../crypt/text.ts";
import * as crypt from "../crypt/values.ts";
import { list, single, toggle } from "../parameter.ts";

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
    text: "Debian: unlock DEVICE as /dev/mapper/NAME (default cryptroot), with the options of crypttab. May be given several times.",
    example: "cryptopts=target=root,source=/dev/sda2,luks",
  }),
};
