// IPv4 and IPv6 addresses. The canonical form everywhere is text: dotted quad, or RFC 5952 for IPv6.
// Arithmetic and parsing are ipaddr.js's; this file fixes the form and adds the fast path for IPv4.
import ipaddr from 'ipaddr.js'
import { macToBytes, type Mac } from './mac.js'

const [DOT, ZERO, NINE] = [0x2e, 0x30, 0x39]

/** An IP address in canonical text form. */
export type Ip = string

export type IpFamily = 4 | 6

/** Canonical IP from text, or undefined. Only dotted quads count as IPv4: `10.1` is a typing error here. */
export function parseIp(text: string): Ip | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text).toString()
  if (text.includes('%') || !text.includes(':') || !ipaddr.IPv6.isValid(text)) return undefined
  return ipaddr.IPv6.parse(text).toRFC5952String()
}

/** Family of a canonical IP. */
export function ipFamily(ip: Ip): IpFamily {
  return ip.includes(':') ? 6 : 4
}

/** Canonical IP from 4 or 16 bytes in network order; the length decides the family. Throws RangeError on any other length. */
export function ipFromBytes(bytes: Uint8Array): Ip {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
  if (bytes.length === 16) return new ipaddr.IPv6(Array.from(bytes)).toRFC5952String()
  throw new RangeError(`an IP address has 4 or 16 bytes, not ${bytes.length}`)
}

/** The 4 or 16 bytes of a canonical IP, in network order. Throws Error for text that is none. */
export function ipToBytes(ip: Ip): Buffer {
  return quadToBytes(ip) ?? Buffer.from(ipaddr.parse(ip).toByteArray())
}

/** The bytes of a dotted quad without leading zeros; undefined for any other text. */
function quadToBytes(text: string): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(4)
  let [part, value, digits] = [0, 0, 0]
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? DOT : text.charCodeAt(i)
    if (code === DOT) {
      if (digits === 0 || value > 255 || part === 4) return undefined
      bytes[part++] = value
      value = digits = 0
    } else {
      if (code < ZERO || code > NINE || (digits > 0 && value === 0)) return undefined
      value = 10 * value + code - ZERO
      digits++
    }
  }
  return part === 4 ? bytes : undefined
}

/** True for an IP multicast group (224.0.0.0/4, ff00::/8). */
export function isMulticastIp(ip: Ip): boolean {
  const [first = 0] = ipToBytes(ip)
  return ipFamily(ip) === 4 ? first >= 0xe0 && first < 0xf0 : first === 0xff
}

/** True for IPv6 link-local (fe80::/10) and IPv4 link-local (169.254.0.0/16) addresses. */
export function isLinkLocalIp(ip: Ip): boolean {
  const [first = 0, second = 0] = ipToBytes(ip)
  return ipFamily(ip) === 4 ? first === 169 && second === 254 : first === 0xfe && second >= 0x80 && second < 0xc0
}

/** The link-local address that a MAC makes: fe80::/64 and its modified EUI-64 (RFC 4291 appendix A). */
export function linkLocalOf(mac: Mac): Ip {
  const [first = 0, ...rest] = macToBytes(mac)
  return ipFromBytes(Uint8Array.from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, first ^ 0x02, ...rest.slice(0, 2), 0xff, 0xfe, ...rest.slice(2)]))
}

/** True for 0.0.0.0/8 ("this network", RFC 1122 section 3.2.1.3) and ::. */
export function isUnspecifiedIp(ip: Ip): boolean {
  return ipFamily(ip) === 4 ? ipToBytes(ip)[0] === 0 : ip === '::'
}
