import { parseAddress } from "../../formats/network/addresses.ts";
import { parser } from "../parse.ts";

/** Who logs in at the other side, and how it proves that (CHAP). */
export interface IscsiAccount {
  readonly username: string;
  /** A secret: never shown. */
  readonly password: string;
}

/** A target as netroot= names it. */
export interface IscsiSource {
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly target: string;
  /** Of this machine, and of the target; null: the parameters say it, or there is none. */
  readonly account: IscsiAccount | null;
  readonly targetAccount: IscsiAccount | null;
}

/** The port that IANA has assigned to iSCSI. */
export const ISCSI_PORT = 3260;
/** RFC 3720, 3.2.6.3: the types of names, of at most 223 bytes. */
const NAME = String.raw`(?:iqn|eui|naa)\.[\w.:-]{1,219}`;
const IS_NAME = new RegExp(`^${NAME}$`, "i");
const HOST = String.raw`\[[\da-f:.]+\]|[\w.-]+`;
const NETROOT = new RegExp(
  String.raw`^iscsi:(?:(.*)@)?(${HOST}):(?:6|tcp)?:(\d{0,5}):(?:[\w.-]*:[\w.-]*:)?\d*:(${NAME})$`,
  "i",
);

/** Parses dracut's iscsi:[USER:PASSWORD[:USER:PASSWORD]@]SERVER:[PROTOCOL]:[PORT]:[LUN]:TARGET. Throws Expected. */
export const parseIscsi = parser(
  "iscsi:[USER:PASSWORD@]SERVER:[PROTOCOL]:[PORT]:[LUN]:TARGET",
  (text): IscsiSource | null => {
    const [, accounts, server = "", port = "", target = ""] = NETROOT.exec(text) ?? [];
    const host = server.replace(/^\[(.*)\]$/, "$1");
    const number = port === "" ? ISCSI_PORT : Number(port);
    if (target === "" || number < 1 || number > 0xffff) return null;
    if (server.startsWith("[") && parseAddress(host)?.length !== 16) return null;
    const parts = accounts?.split(":") ?? [];
    if (![0, 2, 4].includes(parts.length)) return null;
    const [username, password, inUsername, inPassword] = parts;
    return {
      host,
      port: number,
      target,
      account: accountOf(username, password),
      targetAccount: accountOf(inUsername, inPassword),
    };
  },
);

/** Returns the account, if both of its parts are there. */
export function accountOf(username: string | undefined, password: string | undefined): IscsiAccount | null {
  return username === undefined || password === undefined ? null : { username, password };
}

/** The name of an initiator or of a target. */
export const iscsiName = parser("iqn.…, eui.… or naa.…", (text) => (IS_NAME.test(text) ? text : null));

/** The server of rd.iscsi.target.ip=. */
export const iscsiHost = parser("an address or a name", (text) => {
  const host = text.replace(/^\[(.*)\]$/, "$1");
  return parseAddress(host) !== null || /^[a-z\d][\w.-]*$/i.test(host) ? host : null;
});

/** A setting of open-iscsi, as `iscsistart --param` takes it. */
export const iscsiSetting = parser("NAME=VALUE", (text) => (/^[\w.[\]]+=\S+$/.test(text) ? text : null));

/** A part of an account: any text that is not empty. */
export const iscsiText = parser("a text", (text) => (text === "" ? null : text));

/** A number of a port or a group. */
export const iscsiNumber = parser("a number up to 65535", (text) =>
  /^\d{1,5}$/.test(text) && Number(text) <= 0xffff ? Number(text) : null,
);
