// The small forms of ovs-ofctl's output that matches and actions share.
import { ipToBytes } from '../net/ip.js'
import { portFromNumber, RESERVED_PORTS } from './port.js'

/** C's `%#x`: no prefix for zero. */
export function hex(value: bigint): string {
  return value === 0n ? '0' : `0x${value.toString(16)}`
}

/** A port: its number, or the word for a reserved one in capitals; OFPP_NONE is printed by its other name, ANY. */
export function formatPort(number: number): string {
  return number === RESERVED_PORTS.none ? 'ANY' : String(portFromNumber(number)).toUpperCase()
}

export function formatMac(mac: string, mask?: string): string {
  return mask === undefined ? mac : `${mac}/${mask}`
}

/** A prefix length where the mask is one, else the mask itself. */
export function formatIp(ip: string, mask?: string): string {
  if (mask === undefined) return ip
  const bits = [...ipToBytes(mask)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const prefix = /^1*(?=0*$)/.exec(bits)
  return `${ip}/${prefix ? prefix[0].length : mask}`
}
