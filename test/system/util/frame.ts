// Test frames: Ethernet with a payload that names the frame, and VXLAN packets around them, written by hand (RFC 7348).
import { ipFamily, ipFromBytes, ipToBytes, type Ip } from '../../../lib/net/ip.js'
import { macFromBytes, macToBytes, type Mac } from '../../../lib/net/mac.js'

/** IEEE 802 local experimental: no kernel answers it. */
const ETHERTYPE = 0x88b5
/** Nobody has these. */
const OWN_ETHERTYPES = { first: 0xb000, count: 0x1000 } as const
const TPID = 0x8100
const MARK = 'ovs-evpn test frame '

export const BROADCAST: Mac = 'ff:ff:ff:ff:ff:ff'

export interface Frame {
  readonly src: Mac
  readonly dst: Mac
  /** Makes it recognisable wherever it comes out. */
  readonly name: string
  /** 802.1Q tags, the outermost first. */
  readonly tags?: readonly Tag[]
  readonly etherType?: number
}

export interface Tag {
  readonly vlan: number
  readonly priority: number
}

/** What travels between VTEPs: outer addresses, UDP port, VNI, the frame inside. */
export interface VxlanPacket {
  readonly from: Ip
  readonly to: Ip
  readonly udpPort: number
  readonly vni: number
  readonly inner: Buffer
}

/**
 * For a frame that is to be looked up in the flows of br-int as they are now, and to come out after what was sent before it: an
 * EtherType of its own, by its name. Every flow of a datapath matches on it, so nothing that the datapath remembers fits. (The
 * kernel datapath forwards a frame that it has a flow for while ovs-vswitchd still looks at the one before it.)
 */
export function ownEtherType(name: string): number {
  return OWN_ETHERTYPES.first + Buffer.from(name).reduce((sum, byte) => (sum * 31 + byte) % OWN_ETHERTYPES.count, 0)
}

/** A frame of 60 bytes, or more with a longer name. */
export function encodeFrame({ src, dst, name, tags = [], etherType = ETHERTYPE }: Frame): Buffer {
  const tagBytes = tags.flatMap(({ vlan, priority }) => [uint16(TPID), uint16((priority << 13) | vlan)])
  return Buffer.concat([macToBytes(dst), macToBytes(src), ...tagBytes, uint16(etherType), Buffer.from((MARK + name + '.').padEnd(46, '\0'))])
}

/** A test frame, or undefined for anything else. */
export function decodeFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 60) return undefined
  const tags: Tag[] = []
  let at = 12
  for (; bytes.readUInt16BE(at) === TPID; at += 4) tags.push({ vlan: bytes.readUInt16BE(at + 2) & 0xfff, priority: bytes.readUInt16BE(at + 2) >> 13 })
  const text = bytes.toString('latin1', at + 2)
  const name = text.startsWith(MARK) ? text.slice(MARK.length, text.lastIndexOf('.')) : undefined
  return name === undefined ? undefined : { dst: macFromBytes(bytes, 0), src: macFromBytes(bytes, 6), name, ...(tags.length === 0 ? {} : { tags }) }
}

/** The Ethernet frame that carries a VXLAN packet over the underlay. The UDP checksum is 0: none (RFC 7348 section 5, RFC 6935). */
export function encodeVxlan({ from, to, udpPort, vni, inner }: VxlanPacket, [src, dst]: readonly [Mac, Mac]): Buffer {
  const vxlan = Buffer.alloc(8)
  vxlan.writeUInt8(0x08, 0)
  vxlan.writeUIntBE(vni, 4, 3)
  const udp = Buffer.concat([uint16(49152), uint16(udpPort), uint16(16 + inner.length), uint16(0), vxlan, inner])
  const isIpv4 = ipFamily(from) === 4
  return Buffer.concat([macToBytes(dst), macToBytes(src), uint16(isIpv4 ? 0x0800 : 0x86dd), isIpv4 ? ipv4(from, to, udp) : ipv6(from, to, udp)])
}

/** The VXLAN packet in an Ethernet frame, or undefined when there is none for one of the UDP ports. */
export function decodeVxlan(bytes: Buffer, udpPorts: readonly number[]): VxlanPacket | undefined {
  const type = bytes.length < 62 ? 0 : bytes.readUInt16BE(12)
  if (type === 0x0800 && bytes.readUInt8(23) === 17) return fromUdp(bytes, 14 + 4 * (bytes.readUInt8(14) & 15), 26, 4, udpPorts)
  return type === 0x86dd && bytes.readUInt8(20) === 17 ? fromUdp(bytes, 54, 22, 16, udpPorts) : undefined
}

function fromUdp(bytes: Buffer, udp: number, address: number, size: number, udpPorts: readonly number[]): VxlanPacket | undefined {
  const udpPort = bytes.readUInt16BE(udp + 2)
  if (!udpPorts.includes(udpPort)) return undefined
  return {
    from: ipFromBytes(bytes.subarray(address, address + size)),
    to: ipFromBytes(bytes.subarray(address + size, address + 2 * size)),
    udpPort,
    vni: bytes.readUIntBE(udp + 12, 3),
    inner: bytes.subarray(udp + 16)
  }
}

function ipv4(from: Ip, to: Ip, payload: Buffer): Buffer {
  const header = Buffer.alloc(20)
  header.writeUInt8(0x45, 0)
  header.writeUInt16BE(20 + payload.length, 2)
  header.writeUInt8(64, 8)
  header.writeUInt8(17, 9)
  ipToBytes(from).copy(header, 12)
  ipToBytes(to).copy(header, 16)
  let sum = 0
  for (let i = 0; i < 20; i += 2) sum += header.readUInt16BE(i)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  header.writeUInt16BE(~sum & 0xffff, 10)
  return Buffer.concat([header, payload])
}

function ipv6(from: Ip, to: Ip, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x60, 0, 0, 0]), uint16(payload.length), Buffer.from([17, 64]), ipToBytes(from), ipToBytes(to), payload])
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
