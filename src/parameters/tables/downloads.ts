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
    text: "Another address of the file that is downloaded (http://, https:// or tftp://), used if the first one fails. May be given several times, in the order to try.",
    example: "root=http://10.0.0.1/root.sfs rd.mirror=http://10.0.0.2/root.sfs",
  }),
  configUrl: single(downloads.configUrl, {
    syntax: "rd.config=URL",
    fallback: "none",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: names that levain replaces
    text: 'Download more parameters when the network is up: a file with parameters = […] and tables [machine."…"], as in levain.toml. ${mac}, ${serial}, ${uuid} and ${hostname} in the URL stand for this machine. They override those of the image, and the command line overrides them. The file is used as a whole or not at all. If the image has an Ed25519 key in /etc/levain/config.pub, the file needs a signature, URL.sig.',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a name that levain replaces
    example: "root=LABEL=ROOT rd.config=https://boot.example/${mac}.toml",
  }),
  proxy: single(deferred(downloads.proxy), {
    syntax: "rd.proxy=http://HOST:PORT",
    aliases: ["proxy=http://HOST:PORT"],
    fallback: "none",
    text: "The proxy for downloads.",
    example: "root=http://10.0.0.1/root.sfs rd.proxy=http://10.0.0.9:3128",
  }),
};
