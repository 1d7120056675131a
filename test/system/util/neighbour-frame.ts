// ARP and Neighbor Discovery frames, byte by byte, from the RFCs and with nothing of the code that answers them:
// ARP (RFC 826), Neighbor Solicitation and Advertisement (RFC 4861 section 4).
import { ipToBytes, type Ip } from '../../../lib/net/ip.js'
import { macToBytes, type Mac } from '../../../lib/net/mac.js'
import { BROADCAST } from './frame.js'

export interface Arp {
  readonly src: Mac
  readonly dst?: Mac
  readonly op: 1 | 2
  readonly sha?: Mac
  readonly spa: Ip
  readonly tha?: Mac
  readonly tpa: Ip
}

/** An ARP frame of 42 bytes. By default a broadcast from the sender named in it, target hardware address 0. */
export function encodeArp({ src, dst = BROADCAST, op, sha = src, spa, tha = '00:00:00:00:00:00', tpa }: Arp): Buffer {
  const head = Buffer.from([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, op])
  return Buffer.concat([macToBytes(dst), macToBytes(src), head, macToBytes(sha), ipToBytes(spa), macToBytes(tha), ipToBytes(tpa)])
}

export interface Nd {
  readonly src: Mac
  readonly dst: Mac
  readonly from: Ip
  readonly to: Ip
  readonly type: 135 | 136
  /** R, S, O as the upper bits of a byte. */
  readonly flags?: number
  readonly target: Ip
  /** Options as they stand. */
  readonly options: Buffer
  readonly hopLimit?: number
}

/** An ND frame with the ICMPv6 checksum of RFC 4443 section 2.3. */
export function encodeNd({ src, dst, from, to, type, flags = 0, target, options, hopLimit = 255 }: Nd): Buffer {
  const icmp = Buffer.concat([Buffer.from([type, 0, 0, 0, flags, 0, 0, 0]), ipToBytes(target), options])
  const pseudo = Buffer.concat([ipToBytes(from), ipToBytes(to), Buffer.from([0, 0, 0, icmp.length, 0, 0, 0, 58])])
  icmp.writeUInt16BE(checksum(Buffer.concat([pseudo, icmp])), 2)
  const header = Buffer.from([0x60, 0, 0, 0, 0, icmp.length, 58, hopLimit])
  return Buffer.concat([macToBytes(dst), macToBytes(src), Buffer.from([0x86, 0xdd]), header, ipToBytes(from), ipToBytes(to), icmp])
}

/** Source (1) or target (2) link-layer address. */
export function linkLayerOption(type: 1 | 2, mac: Mac): Buffer {
  return Buffer.concat([Buffer.from([type, 1]), macToBytes(mac)])
}

/** A solicitation to the target's solicited-node group (RFC 4291 section 2.7.1), with the sender's address as option. */
export function encodeNs({ src, from, target, ...more }: Pick<Nd, 'src' | 'from' | 'target'> & Partial<Nd>): Buffer {
  const low = ipToBytes(target).subarray(13)
  const group = `ff02::1:ff${low.toString('hex', 0, 1)}:${low.toString('hex', 1)}`
  const dst = ['33', '33', 'ff', ...[...low].map((byte) => byte.toString(16).padStart(2, '0'))].join(':')
  return encodeNd({ src, dst, from, to: group, type: 135, target, options: linkLayerOption(1, src), ...more })
}

function checksum(bytes: Buffer): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** For captures: ARP, or any ND message. */
export function isArp(bytes: Buffer): boolean {
  return bytes.length >= 42 && bytes.readUInt16BE(12) === 0x0806
}

export function isNd(bytes: Buffer, type: 135 | 136): boolean {
  return bytes.length >= 78 && bytes.readUInt16BE(12) === 0x86dd && bytes.readUInt8(20) === 58 && bytes.readUInt8(54) === type
}
