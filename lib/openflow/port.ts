// Port numbers (OpenFlow 1.5.1 section 7.2.1) and port descriptions (OFPMP_PORT_DESC, OFPT_PORT_STATUS).
// A port number here is always OpenFlow 1.1's 32-bit one. Nicira extensions carry OpenFlow 1.0's 16 bits; the codecs convert.
import { macFromBytes, macToBytes, type Mac } from '../net/mac.js'
import { Cursor, takeEntries } from './decode.js'

/** The reserved port numbers, by ovs-ofctl's names. */
export const RESERVED_PORTS = {
  in_port: 0xfffffff8,
  table: 0xfffffff9,
  normal: 0xfffffffa,
  flood: 0xfffffffb,
  all: 0xfffffffc,
  controller: 0xfffffffd,
  local: 0xfffffffe,
  none: 0xffffffff
} as const

export type ReservedPort = keyof typeof RESERVED_PORTS

/** A port to send to: its number, or the name of a reserved one. */
export type Port = number | ReservedPort

/** One port of the bridge, as the switch itself describes it. */
export interface PortDesc {
  readonly port: number
  readonly name: string
  readonly hwAddr: Mac
  /** Bits of OFPPC_*: 1 = port down. */
  readonly config: number
  /** Bits of OFPPS_*: 1 = link down, 2 = blocked, 4 = live. */
  readonly state: number
}

export type PortStatusReason = 'add' | 'delete' | 'modify'

const REASONS: readonly PortStatusReason[] = ['add', 'delete', 'modify']

const NAMES: ReadonlyMap<number, ReservedPort> = new Map(Object.entries(RESERVED_PORTS).map(([name, port]) => [port, name as ReservedPort]))

/** The 32-bit number of a port. */
export function portNumber(port: Port): number {
  return typeof port === 'number' ? port : RESERVED_PORTS[port]
}

/** The name of a reserved port, the number of any other. */
export function portFromNumber(number: number): Port {
  return NAMES.get(number) ?? number
}

/** OpenFlow 1.0's 16-bit number of a port. Throws RangeError when the port has none. */
export function portTo16(number: number): number {
  if (number < 0xff00) return number
  if (number >= 0xffffff00 && number <= 0xffffffff) return number & 0xffff
  throw new RangeError(`port ${number} cannot be written in 16 bits`)
}

/** The 32-bit number of a port given in OpenFlow 1.0's 16 bits. */
export function portFrom16(number: number): number {
  return number < 0xff00 ? number : number + 0xffff0000
}

const PORT_BYTES = 40

/** The entries of an OFPMP_PORT_DESC reply. */
export function decodePortDescs(body: Buffer): PortDesc[] {
  return takeEntries(body, 'port', PORT_BYTES, 4).map(decodePort)
}

/** One port, without properties. */
export function encodePortDesc(desc: PortDesc): Buffer {
  const bytes = Buffer.alloc(PORT_BYTES)
  bytes.writeUInt32BE(desc.port, 0)
  bytes.writeUInt16BE(PORT_BYTES, 4)
  macToBytes(desc.hwAddr).copy(bytes, 8)
  bytes.write(desc.name, 16, 15, 'utf8')
  bytes.writeUInt32BE(desc.config, 32)
  bytes.writeUInt32BE(desc.state, 36)
  return bytes
}

/** The body of an OFPT_PORT_STATUS message. */
export function decodePortStatus(body: Buffer): { reason: PortStatusReason; port: PortDesc } {
  const cursor = new Cursor(body, 'port_status')
  const reason = REASONS[cursor.u8()] ?? cursor.fail('unknown reason')
  cursor.skip(7)
  const [port] = decodePortDescs(cursor.rest())
  return { reason, port: port ?? cursor.fail('no port') }
}

function decodePort(bytes: Buffer): PortDesc {
  const cursor = new Cursor(bytes, 'port')
  const port = cursor.u32()
  cursor.skip(4)
  const hwAddr = macFromBytes(cursor.take(6))
  cursor.skip(2)
  const name = cursor.take(16)
  const end = name.indexOf(0)
  return { port, name: name.toString('utf8', 0, end < 0 ? 16 : end), hwAddr, config: cursor.u32(), state: cursor.u32() }
}
