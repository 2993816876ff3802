/** The kernel's numbers and structures of network interfaces, named as in its headers; plain data, like ../abi/constants.ts. */

/** linux/socket.h, linux/if_packet.h, linux/if_ether.h, linux/in.h */
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_PACKET = 17;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0x800;
export const SO_KEEPALIVE = 9;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const MSG_NOSIGNAL = 0x4000;
export const SO_ATTACH_FILTER = 26;
export const ETH_P_IP = 0x0800;
/** struct sockaddr_in: u16 family, be16 port, u8 address[4]; struct sockaddr_in6 has a u32 before the address, and a u32 behind it. */
export const SOCKADDR_IN = { size: 16, sin_port: 2, sin_addr: 4 } as const;
export const SOCKADDR_IN6 = { size: 28, sin6_port: 2, sin6_addr: 8 } as const;
/** struct sockaddr_ll: u16 family, be16 protocol, s32 ifindex, u16 hatype, u8 pkttype, u8 halen, u8 addr[8]. */
export const SOCKADDR_LL = {
  size: 20,
  sll_family: 0,
  sll_protocol: 2,
  sll_ifindex: 4,
  sll_halen: 11,
  sll_addr: 12,
} as const;
/** struct sock_fprog: u16 len, then the address of the filter. */
export const SOCK_FPROG = { size: 16, len: 0, filter: 8 } as const;

/** linux/netlink.h */
export const NETLINK_ROUTE = 0;
export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
/** struct nlmsghdr: u32 len, u16 type, u16 flags, u32 seq, u32 port id. */
export const NLMSGHDR = { size: 16, len: 0, type: 4, flags: 6, seq: 8 } as const;
export const NLA_F_NESTED = 0x8000;
export const NLA_TYPE_MASK = 0x3fff;

/** linux/rtnetlink.h */
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;
export const RTM_NEWROUTE = 24;
export const RTM_GETROUTE = 26;
export const RTM_NEWNDUSEROPT = 68;
/** Bits of sockaddr_nl.nl_groups: RTNLGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE, ND_USEROPT. */
export const RTMGRP_CHANGES = [1, 5, 7, 9, 11, 20].reduce((bits, group) => bits + 2 ** (group - 1), 0);

/** linux/if_link.h. struct ifinfomsg: u8 family, u8 pad, u16 type, s32 index, u32 flags, u32 change. */
export const IFINFOMSG = { size: 16, ifi_type: 2, ifi_index: 4, ifi_flags: 8, ifi_change: 12 } as const;
export const IFLA_ADDRESS = 1;
export const IFLA_IFNAME = 3;
export const IFLA_MTU = 4;
export const IFLA_LINK = 5;
export const IFLA_MASTER = 10;
export const IFLA_LINKINFO = 18;
export const IFLA_INFO_KIND = 1;
export const IFLA_INFO_DATA = 2;
export const IFLA_VLAN_ID = 1;
/** linux/if.h, linux/if_arp.h */
export const IFF_UP = 1;
export const IFF_LOOPBACK = 8;
export const IFF_LOWER_UP = 0x10000;
export const IFF_DORMANT = 0x20000;
export const ARPHRD_ETHER = 1;

/** linux/if_addr.h. struct ifaddrmsg: u8 family, u8 prefixlen, u8 flags, u8 scope, u32 index. */
export const IFADDRMSG = {
  size: 8,
  ifa_family: 0,
  ifa_prefixlen: 1,
  ifa_flags: 2,
  ifa_scope: 3,
  ifa_index: 4,
} as const;
/** Attributes and flags of addresses. */
export const IFA_ADDRESS = 1;
export const IFA_LOCAL = 2;
export const IFA_BROADCAST = 4;
export const IFA_CACHEINFO = 6;
export const IFA_FLAGS = 8;
export const IFA_F_DADFAILED = 0x08;
export const IFA_F_TENTATIVE = 0x40;
/** struct ifa_cacheinfo: u32 preferred and valid lifetime in seconds, two time stamps. */
export const IFA_CACHEINFO_SIZE = 16;

/** struct rtmsg: u8 family, dst_len, src_len, tos, table, protocol, scope, type, u32 flags. */
export const RTMSG = {
  size: 12,
  rtm_family: 0,
  rtm_dst_len: 1,
  rtm_table: 4,
  rtm_protocol: 5,
  rtm_scope: 6,
  rtm_type: 7,
  rtm_flags: 8,
} as const;
/** Attributes and values of routes. */
export const RTA_DST = 1;
export const RTA_OIF = 4;
export const RTA_GATEWAY = 5;
export const RT_TABLE_MAIN = 254;
export const RTPROT_BOOT = 3;
export const RTN_UNICAST = 1;
export const RT_SCOPE_UNIVERSE = 0;
export const RT_SCOPE_LINK = 253;
export const RTNH_F_ONLINK = 4;

/** struct nduseroptmsg: u8 family, u8, u16 opts_len, s32 ifindex, u8 icmp type, u8 icmp code, six bytes of padding; then the options of RFC 4861. */
export const NDUSEROPTMSG = { size: 16, nduseropt_opts_len: 2, nduseropt_ifindex: 4 } as const;

/** linux/genetlink.h. struct genlmsghdr: u8 command, u8 version, u16 reserved. */
export const NETLINK_GENERIC = 16;
export const GENL_ID_CTRL = 0x10;
export const CTRL_CMD_GETFAMILY = 3;
export const CTRL_ATTR_FAMILY_ID = 1;
export const CTRL_ATTR_FAMILY_NAME = 2;

/** linux/nbd-netlink.h: attributes in the order of its enums. */
export const NBD_CMD_CONNECT = 1;
export const NBD_ATTR_INDEX = 1;
export const NBD_ATTR_SIZE_BYTES = 2;
export const NBD_ATTR_BLOCK_SIZE_BYTES = 3;
export const NBD_ATTR_SERVER_FLAGS = 5;
export const NBD_ATTR_SOCKETS = 7;
export const NBD_SOCK_ITEM = 1;
export const NBD_SOCK_FD = 1;
