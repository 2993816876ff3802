import { iscsiHost, iscsiName, iscsiNumber, iscsiSetting, iscsiText } from "../network/iscsi.ts";
import { list, single } from "../parameter.ts";

const TARGET = "root=LABEL=ROOT rd.iscsi.target.ip=192.0.2.1 rd.iscsi.target.name=iqn.2024-01.org.example:disk";
const OF_THE_IMAGE = "iSCSI needs the program iscsistart in the image.";

/** Disks of iSCSI, by the program iscsistart. */
export const ISCSI = {
  iscsiInitiator: single(iscsiName, {
    syntax: "rd.iscsi.initiator=IQN",
    aliases: ["iscsi_initiator=IQN"],
    fallback: "/etc/iscsi/initiatorname.iscsi of the image, or the name in the firmware",
    text: "The name of this machine for iSCSI, by which targets permit it.",
    example: `${TARGET} rd.iscsi.initiator=iqn.2024-01.org.example:node7`,
  }),
  iscsiTarget: single(iscsiName, {
    syntax: "rd.iscsi.target.name=IQN",
    aliases: ["iscsi_target_name=IQN"],
    text: `The target of iSCSI that the root lies on, at the server of rd.iscsi.target.ip=; netroot=iscsi:… names both. ${OF_THE_IMAGE}`,
    example: TARGET,
  }),
  iscsiHost: single(iscsiHost, {
    syntax: "rd.iscsi.target.ip=SERVER",
    aliases: ["iscsi_target_ip=SERVER"],
    text: "The server of that target.",
    example: TARGET,
  }),
  iscsiPort: single(iscsiNumber, {
    syntax: "rd.iscsi.target.port=PORT",
    aliases: ["iscsi_target_port=PORT"],
    fallback: "3260",
    text: "The port of that server.",
    example: `${TARGET} rd.iscsi.target.port=3261`,
  }),
  iscsiGroup: single(iscsiNumber, {
    syntax: "rd.iscsi.target.group=NUMBER",
    aliases: ["iscsi_target_group=NUMBER"],
    fallback: "1",
    text: "The portal group of targets.",
    example: `${TARGET} rd.iscsi.target.group=2`,
  }),
  iscsiUsername: single(iscsiText, {
    syntax: "rd.iscsi.username=NAME",
    aliases: ["iscsi_username=NAME"],
    text: "The user name of this machine at targets (CHAP). Every user who can read /proc/cmdline can read it, and the password.",
    example: `${TARGET} rd.iscsi.username=node7 rd.iscsi.password=secret`,
  }),
  iscsiPassword: single(iscsiText, {
    syntax: "rd.iscsi.password=PASSWORD",
    aliases: ["iscsi_password=PASSWORD"],
    text: "The password for that. levain shows it in no message, record or plan.",
    example: `${TARGET} rd.iscsi.username=node7 rd.iscsi.password=secret`,
  }),
  iscsiInUsername: single(iscsiText, {
    syntax: "rd.iscsi.in.username=NAME",
    aliases: ["iscsi_in_username=NAME"],
    text: "The user name of targets, which prove who they are (mutual CHAP).",
    example: `${TARGET} rd.iscsi.in.username=store rd.iscsi.in.password=secret`,
  }),
  iscsiInPassword: single(iscsiText, {
    syntax: "rd.iscsi.in.password=PASSWORD",
    aliases: ["iscsi_in_password=PASSWORD"],
    text: "The password that targets prove. levain never shows it.",
    example: `${TARGET} rd.iscsi.in.username=store rd.iscsi.in.password=secret`,
  }),
  iscsiSettings: list(iscsiSetting, {
    syntax: "rd.iscsi.param=NAME=VALUE",
    aliases: ["iscsi_param=NAME=VALUE"],
    text: "A setting of open-iscsi for iscsistart. May be given several times.",
    example: `${TARGET} rd.iscsi.param=node.session.timeo.replacement_timeout=30`,
  }),
};
