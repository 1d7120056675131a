// The numbers of the kernel's uapi that this folder speaks: linux/netlink.h, rtnetlink.h, neighbour.h, if_link.h, if_bridge.h,
// nexthop.h.
// Each table is named as the kernel's prefix and its entries as the rest of the name: NUD.NOARP is NUD_NOARP.

export const AF = { UNSPEC: 0, INET: 2, BRIDGE: 7, INET6: 10, NETLINK: 16 } as const

export const NLMSG = { NOOP: 1, ERROR: 2, DONE: 3, OVERRUN: 4 } as const

/** Flags of a message; the values 0x100 and up mean different things for GET, NEW, DELETE and acknowledgements. */
export const NLM_F = {
  REQUEST: 0x1, MULTI: 0x2, ACK: 0x4, ECHO: 0x8, DUMP_INTR: 0x10, DUMP_FILTERED: 0x20,
  DUMP: 0x300,
  REPLACE: 0x100, EXCL: 0x200, CREATE: 0x400, APPEND: 0x800,
  CAPPED: 0x100, ACK_TLVS: 0x200
} as const

/** Attributes of an extended acknowledgement. */
export const NLMSGERR_ATTR = { MSG: 1, OFFS: 2 } as const

export const NLA = { F_NESTED: 0x8000, F_NET_BYTEORDER: 0x4000, TYPE_MASK: 0x3fff } as const

export const RTM = {
  NEWLINK: 16, DELLINK: 17, GETLINK: 18, SETLINK: 19,
  NEWROUTE: 24, DELROUTE: 25, GETROUTE: 26,
  NEWNEIGH: 28, DELNEIGH: 29, GETNEIGH: 30,
  NEWNEXTHOP: 104, DELNEXTHOP: 105, GETNEXTHOP: 106,
  NEWVLAN: 112, DELVLAN: 113, GETVLAN: 114
} as const

/** Multicast groups, by number (not by bit). */
export const RTNLGRP = { LINK: 1, NEIGH: 3, NEXTHOP: 32, BRVLAN: 33 } as const

/** Neighbour states: a bitmask, NOARP|PERMANENT is a state. */
export const NUD = {
  NONE: 0x00, INCOMPLETE: 0x01, REACHABLE: 0x02, STALE: 0x04, DELAY: 0x08, PROBE: 0x10, FAILED: 0x20, NOARP: 0x40, PERMANENT: 0x80
} as const

/** Neighbour flags: a bitmask. */
export const NTF = {
  USE: 0x01, SELF: 0x02, MASTER: 0x04, PROXY: 0x08, EXT_LEARNED: 0x10, OFFLOADED: 0x20, STICKY: 0x40, ROUTER: 0x80
} as const

/** Attributes of a route, those of use here; of its metrics, the MTU. */
export const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PREFSRC: 7, METRICS: 8 } as const
export const RTAX = { MTU: 2 } as const

/** Kinds of routes, those of use here. */
export const RTN = { UNICAST: 1, LOCAL: 2, BLACKHOLE: 6, UNREACHABLE: 7, PROHIBIT: 8 } as const

export const NDA = {
  DST: 1, LLADDR: 2, CACHEINFO: 3, PROBES: 4, VLAN: 5, PORT: 6, VNI: 7, IFINDEX: 8, MASTER: 9, LINK_NETNSID: 10, SRC_VNI: 11,
  PROTOCOL: 12, NH_ID: 13, FDB_EXT_ATTRS: 14, FLAGS_EXT: 15, NDM_STATE_MASK: 16, NDM_FLAGS_MASK: 17
} as const

/** Device flags (net/if.h), the ones of use here. */
export const IFF = { UP: 0x1, BROADCAST: 0x2, LOOPBACK: 0x8, RUNNING: 0x40, NOARP: 0x80, LOWER_UP: 0x10000 } as const

export const IFLA = {
  ADDRESS: 1, IFNAME: 3, MTU: 4, LINK: 5, MASTER: 10, PROTINFO: 12, LINKINFO: 18, IFALIAS: 20, AF_SPEC: 26, EXT_MASK: 29, LINK_NETNSID: 37
} as const

/** Leaves the statistics out of a link dump: half of each message. */
export const RTEXT_FILTER_SKIP_STATS = 8

export const IFLA_INFO = { KIND: 1, DATA: 2, SLAVE_KIND: 4, SLAVE_DATA: 5 } as const

export const IFLA_VXLAN = {
  ID: 1, GROUP: 2, LINK: 3, LOCAL: 4, LEARNING: 7, PORT: 15, GROUP6: 16, LOCAL6: 17, COLLECT_METADATA: 25, VNIFILTER: 30
} as const

export const IFLA_BR = { VLAN_FILTERING: 7, VLAN_DEFAULT_PVID: 39 } as const

export const IFLA_INET6 = { ADDR_GEN_MODE: 8 } as const

/** How a device gets an IPv6 link-local address: not at all. */
export const IN6_ADDR_GEN_MODE = { NONE: 1 } as const

/** linux/veth.h: the other end, as struct ifinfomsg with IFLA_* attributes. */
export const VETH_INFO = { PEER: 1 } as const

export const IFLA_BRPORT = { LEARNING: 8, VLAN_TUNNEL: 29, NEIGH_SUPPRESS: 32 } as const

export const IFLA_VLAN = { ID: 1 } as const

export const BRIDGE_VLANDB = { ENTRY: 1, GLOBAL_OPTIONS: 2 } as const

export const BRIDGE_VLANDB_ENTRY = { INFO: 1, RANGE: 2, STATE: 3, TUNNEL_INFO: 4 } as const

export const BRIDGE_VLANDB_TINFO = { ID: 1 } as const

/** Flags of a VLAN on a port: a bitmask. */
export const BRIDGE_VLAN_INFO = { PVID: 0x2, UNTAGGED: 0x4 } as const

export const NHA = {
  ID: 1, GROUP: 2, GROUP_TYPE: 3, BLACKHOLE: 4, OIF: 5, GATEWAY: 6, FDB: 11
} as const
