// Meters: changing them (OFPT_METER_MOD) and describing them (OFPMP_METER_DESC). Only the drop band, the one Open vSwitch has.
import { Cursor, OpenFlowDecodeError, takeEntries } from './decode.js'
import { decodeMessage, encodeMessage, OFPT } from './message.js'

/** What is above the rate is dropped. Unit: kilobits or packets per second; a burst of 0 is none given. */
export interface Meter {
  readonly meterId: number
  readonly unit: 'kbps' | 'pktps'
  readonly rate: number
  readonly burst?: number
}

export interface MeterMod extends Meter {
  readonly command: 'add' | 'modify' | 'delete'
}

/** What a switch can do with meters: a maximum of 0 is none at all, as with a datapath that has no meters. */
export interface MeterFeatures {
  readonly maxMeters: number
  readonly maxBands: number
}

/** Stands for all meters. */
export const ALL_METERS = 0xffffffff

const COMMANDS = ['add', 'modify', 'delete'] as const
const FLAGS = { kbps: 1, pktps: 2, burst: 4, stats: 8 } as const
const DROP = 1
const BAND_BYTES = 16

/** A whole meter_mod message with transaction id 0; the session fills it in. A meter cannot be changed in a bundle. */
export function encodeMeterMod(mod: MeterMod): Buffer {
  const bytes = Buffer.alloc(mod.command === 'delete' ? 8 : 8 + BAND_BYTES)
  bytes.writeUInt16BE(COMMANDS.indexOf(mod.command), 0)
  bytes.writeUInt16BE(FLAGS[mod.unit] | (mod.burst ? FLAGS.burst : 0) | FLAGS.stats, 2)
  bytes.writeUInt32BE(mod.meterId, 4)
  if (mod.command !== 'delete') {
    bytes.writeUInt16BE(DROP, 8)
    bytes.writeUInt16BE(BAND_BYTES, 10)
    bytes.writeUInt32BE(mod.rate, 12)
    bytes.writeUInt32BE(mod.burst ?? 0, 16)
  }
  return encodeMessage(OFPT.meter_mod, 0, bytes)
}

/** The body of a request for meters. */
export function encodeMeterRequest(meterId = ALL_METERS): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(meterId, 0)
  return bytes
}

/** The entries of an OFPMP_METER_DESC reply. Of several bands the first drop band counts; without one the rate is 0. */
export function decodeMeters(body: Buffer): Meter[] {
  return takeEntries(body, 'meter', 8).map((entry) => {
    return readMeter(new Cursor(entry, 'meter', 2))
  })
}

/** Flags, id and bands, up to the end. */
function readMeter(cursor: Cursor): Meter {
  const flags = cursor.u16()
  const meterId = cursor.u32()
  const band = takeEntries(cursor.rest(), 'meter band', 12, 2).find((bytes) => bytes.readUInt16BE(0) === DROP)
  const burst = band?.readUInt32BE(8) ?? 0
  return { meterId, unit: flags & FLAGS.pktps ? 'pktps' : 'kbps', rate: band?.readUInt32BE(4) ?? 0, ...(burst && { burst }) }
}

/** The body of an OFPMP_METER_FEATURES reply. */
export function decodeMeterFeatures(body: Buffer): MeterFeatures {
  const cursor = new Cursor(body, 'meter_features')
  const maxMeters = cursor.u32()
  cursor.skip(8)
  return { maxMeters, maxBands: cursor.u8() }
}

/** A whole meter_mod message as what it asks for (fakes use it). Raises OpenFlowDecodeError when it is none. */
export function decodeMeterMod(bytes: Buffer): MeterMod {
  const message = decodeMessage(bytes)
  if (message.type !== OFPT.meter_mod) throw new OpenFlowDecodeError(`meter_mod: message type ${message.type}`)
  const cursor = new Cursor(message.body, 'meter_mod')
  const command = COMMANDS[cursor.u16()] ?? cursor.fail('unknown command')
  return { command, ...readMeter(cursor) }
}
