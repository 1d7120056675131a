// The metadata and register bits of the pipeline, declared once.
//   metadata      the VNI
//   reg0 bit 0    the packet came from a tunnel: it never enters one again (split horizon)
//   reg0 bit 2    it came from a VTEP that some VNI knows (evpn-decap=member)
//   reg0 bit 1    the VTEP's address is IPv6
//   reg0 bit 3    the tunnel id is set already: it is not the VNI's (downstream VNI)
//   reg0 bit 4    the destination was learned on a local port, which reg3 says
//   reg0 bit 5    the solicitation is longer than one with a single option
//   reg0 bit 6    the flood is for a destination nobody knows: `unknown` ports and VTEPs only
//   reg0 bit 7    the destination was learned behind a VTEP, which the tunnel's destination and the bits for ENCAP say
//   reg0 16..31   the VTEP's UDP port
//   reg2          the priority (802.1p) of the tag that a trunk took off, for the tag that another trunk puts on
//   reg6          DROP: the reason (drops.ts)
//   xreg4         (reg8, reg9) ANSWER, REPLY: the MAC that has the IP asked for
//   reg10, reg11  ANSWER: flags of a Neighbor Advertisement; both are scratch for moves
//   reg1          DELIVER: the OpenFlow port; PART: the number of the flood's part; NEXTHOP: the kernel's id

export const FROM_TUNNEL = 0x00000001
/** Set only while a VNI with evpn-decap=member exists. */
export const MEMBER = 0x00000004
export const LEARNED_LOCAL = 0x00000010
export const LONGER = 0x00000020
export const UNKNOWN = 0x00000040
export const LEARNED_REMOTE = 0x00000080
export const IPV6 = 0x00000002
const OWN_TUN_ID = 0x00000008
/** The bits that ENCAP chooses by, and that are set on the way there. */
export const ENCAP_MASK = 0xffff000a
/** Those of them that are set before a group chooses the VTEP: all but the family. */
export const ENCAP_MASK_OF_GROUP = 0xffff0008

/** reg0 under ENCAP_MASK for a VTEP's family and UDP port, and for whether the tunnel id is set already. */
export function encapBits(family: 4 | 6, udpPort: number, hasTunnelId = false): number {
  return ((udpPort << 16) | (family === 6 ? IPV6 : 0) | (hasTunnelId ? OWN_TUN_ID : 0)) >>> 0
}

/** Flags of a Neighbor Advertisement, as they stand in nd_reserved (RFC 4861 section 4.4): R, S, O. */
export const NA_ROUTER = 0x80000000
export const NA_SOLICITED = 0x40000000
export const NA_OVERRIDE = 0x20000000
