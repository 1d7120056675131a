// Packets of a workload as bytes, as far as evpn-port-security looks into them: ARP, IPv4, IPv6 and neighbour discovery.
import { ipFamily, ipToBytes } from '../../../lib/net/ip.js'
import { macToBytes } from '../../../lib/net/mac.js'

const BROADCAST = 'ff:ff:ff:ff:ff:ff'

function u16(...values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]))
}

/** An Ethernet frame for everybody, padded to 60 bytes. */
export function ethernet(src: string, type: number, ...payload: readonly Buffer[]): Buffer {
  const frame = Buffer.concat([macToBytes(BROADCAST), macToBytes(src), u16(type), ...payload])
  return Buffer.concat([frame, Buffer.alloc(Math.max(0, 60 - frame.length))])
}

/** RFC 826. */
export function arp(src: string, sha: string, spa: string, op: 1 | 2 = 1): Buffer {
  return ethernet(src, 0x0806, u16(1, 0x0800), Buffer.from([6, 4]), u16(op), macToBytes(sha), ipToBytes(spa), Buffer.alloc(6), ipToBytes('10.0.0.99'))
}

/** A UDP packet. */
export function udp(src: string, from: string, to: string, ports: readonly [number, number] = [1000, 2000]): Buffer {
  return ip(src, from, to, 17, Buffer.concat([u16(...ports), u16(8, 0)]))
}

/** ICMPv6 with a body, e.g. a router solicitation's (type 133). */
export function icmpv6(src: string, from: string, to: string, type: number, ...body: readonly Buffer[]): Buffer {
  return ip(src, from, to, 58, Buffer.concat([Buffer.from([type, 0, 0, 0]), ...body]))
}

/** A neighbour solicitation, with the sender's link-layer address or without (RFC 4861 section 4.3). */
export function solicitation(src: string, from: string, sll?: string): Buffer {
  return icmpv6(src, from, 'ff02::1:ff00:99', 135, Buffer.alloc(4), ipToBytes('2001:db8:1::99'), option(1, sll))
}

/** A neighbour advertisement (RFC 4861 section 4.4). */
export function advertisement(src: string, from: string, target: string, tll?: string): Buffer {
  return icmpv6(src, from, 'ff02::1', 136, Buffer.from([0x20, 0, 0, 0]), ipToBytes(target), option(2, tll))
}

function option(type: number, lladdr: string | undefined): Buffer {
  return lladdr === undefined ? Buffer.alloc(0) : Buffer.concat([Buffer.from([type, 1]), macToBytes(lladdr)])
}

function ip(src: string, from: string, to: string, protocol: number, payload: Buffer): Buffer {
  if (ipFamily(from) === 6) {
    const checked = withChecksum(Buffer.concat([ipToBytes(from), ipToBytes(to), u16(0, payload.length, 0, protocol)]), payload)
    return ethernet(src, 0x86dd, Buffer.from([0x60, 0, 0, 0]), u16(payload.length), Buffer.from([protocol, 255]), ipToBytes(from), ipToBytes(to), checked)
  }
  const header = Buffer.concat([Buffer.from([0x45, 0]), u16(20 + payload.length, 0, 0), Buffer.from([64, protocol]), u16(0), ipToBytes(from), ipToBytes(to)])
  header.writeUInt16BE(checksum(header), 10)
  return ethernet(src, 0x0800, header, payload)
}

/** Of ICMPv6: over a pseudo-header, too (RFC 8200 section 8.1). */
function withChecksum(pseudo: Buffer, payload: Buffer): Buffer {
  const bytes = Buffer.from(payload)
  if (bytes.readUInt8(0) >= 128) bytes.writeUInt16BE(checksum(Buffer.concat([pseudo, bytes])), 2)
  return bytes
}

function checksum(bytes: Buffer): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += i + 1 < bytes.length ? bytes.readUInt16BE(i) : bytes.readUInt8(i) << 8
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

export interface Dhcp {
  /** BOOTREQUEST 1, BOOTREPLY 2. */
  readonly op?: 1 | 2
  /** Option 53: 5 is DHCPACK, 2 DHCPOFFER. */
  readonly type: number
  readonly chaddr: string
  readonly yiaddr: string
}

/** What a DHCP server sends to everybody (RFC 2131 section 2, options of RFC 2132); the UDP checksum is 0: none. */
export function dhcp(src: string, from: string, { op = 2, type, chaddr, yiaddr }: Dhcp): Buffer {
  const fixed = Buffer.concat([Buffer.from([op, 1, 6, 0]), Buffer.alloc(12), ipToBytes(yiaddr), Buffer.alloc(8), macToBytes(chaddr), Buffer.alloc(202)])
  const options = Buffer.from([0x63, 0x82, 0x53, 0x63, 54, 4, ...ipToBytes(from), 53, 1, type, 255])
  const body = Buffer.concat([fixed, options])
  return ip(src, from, '255.255.255.255', 17, Buffer.concat([u16(67, 68, 8 + body.length, 0), body]))
}
