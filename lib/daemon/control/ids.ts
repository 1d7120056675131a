// Ids that ovn-controller's line forms show and that no flow uses. They are derived from content, so that they are the same
// before and after a restart, and on every chassis.
import { createHash } from 'node:crypto'
import { hash32 } from '../../net/hash.js'
import type { Ip } from '../../net/ip.js'
import type { Vni } from '../../net/number.js'

/** The namespace of our name-based UUIDs (RFC 4122 section 4.3): a random one, fixed for ever. */
const NAMESPACE = Buffer.from('8b1b7f0ae5a94c3c9b6d2f4e71c05a36', 'hex')

/** Display key of a VTEP's binding: bit 31 set and 31 bits of a hash of its IP, UDP port and VNI. */
export function bindingKey(ip: Ip, udpPort: number, vni: Vni): number {
  return (hash32(`${ip} ${udpPort} ${vni}`) | 0x80000000) >>> 0
}

/** A binding key as it is printed: `0x9c3a51d7`. */
export function formatBindingKey(key: number): string {
  return '0x' + key.toString(16).padStart(8, '0')
}

/** UUID version 5 of a thing named by its kind and its key parts, e.g. `nameUuid('mac', 1000, '02:00:00:00:00:01')`. */
export function nameUuid(...parts: readonly (string | number)[]): string {
  // No part can contain a NUL, so different lists of parts have different names.
  const bytes = createHash('sha1').update(NAMESPACE).update(parts.join('\0')).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
