import { deferred } from "../network/deferred.ts";
import { list, single } from "../parameter.ts";
import * as downloads from "../sources/downloads.ts";

/** Images on web servers. */
export const DOWNLOADS = {
  fetchUrl: single(deferred(downloads.url), {
    syntax: "fetch=URL",
    aliases: ["httpfs=URL"],
    text: "For boot=live: download this image to memory; it is the root, or the ISO file with the images. See root=http://….",
    example: "boot=live fetch=http://10.0.0.1/filesystem.squashfs",
  }),
  archServer: single(deferred(downloads.url), {
    syntax: "archiso_http_srv=URL",
    text: "A medium of Arch Linux on a web server: levain downloads archisobasedir=PATH/MACHINE/airootfs.sfs, or airootfs.erofs, from there to memory.",
    example: "archisobasedir=arch archiso_http_srv=http://10.0.0.1/",
  }),
  isoUrl: single(deferred(downloads.url), {
    syntax: "iso-url=URL",
    aliases: ["url=URL"],
    text: "For boot=casper: download this ISO file to memory; the layers are in it.",
    example: "boot=casper iso-url=http://10.0.0.1/ubuntu.iso",
  }),
  mirrors: list(deferred(downloads.url), {
    syntax: "rd.mirror=URL",
    text: "Another address of the file that is downloaded, used if the first one fails. May be given several times, in the order to try.",
    example: "root=http://10.0.0.1/root.sfs rd.mirror=http://10.0.0.2/root.sfs",
  }),
  proxy: single(deferred(downloads.proxy), {
    syntax: "rd.proxy=http://HOST:PORT",
    aliases: ["proxy=http://HOST:PORT"],
    fallback: "none",
    text: "The proxy for downloads.",
    example: "root=http://10.0.0.1/root.sfs rd.proxy=http://10.0.0.9:3128",
  }),
};
