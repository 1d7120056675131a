// Bytes to actions. An action this library cannot write is carried as `unknown`: foreign flows hold anything.
import {
  CONTROLLER2, CURRENT_TABLE, NICIRA, NXAST, OFPAT, REASON_ACTION,
  type Action, type ControllerAction, type Subfield
} from './action.js'
import { Cursor, takeEntries } from './decode.js'
import { decodeLearn, subfieldOf } from './learn.js'
import { readHeader, readOxm } from './oxm.js'
import { portFrom16, portFromNumber, RESERVED_PORTS } from './port.js'
import { isAllZeros, valueFromBytes } from './value.js'

/** A list of actions. Throws OpenFlowDecodeError when an action does not fit or a known one is malformed. */
export function decodeActions(bytes: Buffer): Action[] {
  return takeEntries(bytes, 'actions', 8, 2).map(decodeAction)
}

function decodeAction(bytes: Buffer): Action {
  const cursor = new Cursor(bytes, 'action')
  const type = cursor.u16()
  cursor.skip(2)
  return (type === OFPAT.experimenter ? decodeNicira(cursor) : decodeStandard(type, cursor)) ?? { kind: 'unknown', bytes }
}

function decodeStandard(type: number, cursor: Cursor): Action | undefined {
  switch (type) {
    case OFPAT.output:
      return decodeOutput(cursor)
    case OFPAT.group:
      return { kind: 'group', group: cursor.u32() }
    case OFPAT.set_field:
      return decodeSetField(cursor)
    case OFPAT.copy_field:
      return decodeMove(cursor)
    case OFPAT.push_vlan:
      return { kind: 'push_vlan', ethertype: cursor.u16() }
    case OFPAT.pop_vlan:
      return { kind: 'pop_vlan' }
    case OFPAT.dec_ttl:
      return { kind: 'dec_ttl' }
    case OFPAT.meter:
      return { kind: 'meter', meter: cursor.u32() }
    case OFPAT.set_queue:
      return { kind: 'set_queue', queue: cursor.u32() }
    default:
      return undefined
  }
}

function decodeNicira(cursor: Cursor): Action | undefined {
  if (cursor.u32() !== NICIRA || cursor.left < 8) return undefined
  const subtype = cursor.u16()
  switch (subtype) {
    case NXAST.resubmit:
      return { kind: 'resubmit', ...inPortOf(cursor.u16()) }
    case NXAST.resubmit_table:
    case NXAST.resubmit_table_ct:
      return { kind: 'resubmit', ...inPortOf(cursor.u16()), ...tableOf(cursor.u8()), ...(subtype !== NXAST.resubmit_table && { ct: true }) }
    case NXAST.output_reg:
    case NXAST.output_reg2:
      return decodeOutputField(cursor, subtype === NXAST.output_reg)
    case NXAST.learn:
    case NXAST.learn2:
      return decodeLearn(cursor, subtype === NXAST.learn2)
    case NXAST.controller:
      return decodeController(cursor)
    case NXAST.controller2:
      return decodeController2(cursor)
    case NXAST.conjunction:
      return { kind: 'conjunction', clause: cursor.u8(), clauses: cursor.u8(), id: cursor.u32() }
    case NXAST.check_pkt_larger:
      return decodeCheckPktLarger(cursor)
    case NXAST.clone:
      cursor.skip(6)
      return { kind: 'clone', actions: decodeActions(cursor.rest()) }
    case NXAST.exit:
      return { kind: 'exit' }
    case NXAST.ct_clear:
      return { kind: 'ct_clear' }
    default:
      return undefined
  }
}

function inPortOf(port: number): { inPort?: number } {
  const inPort = portFrom16(port)
  return inPort === RESERVED_PORTS.in_port ? {} : { inPort }
}

function tableOf(table: number): { table?: number } {
  return table === CURRENT_TABLE ? {} : { table }
}

function decodeOutput(cursor: Cursor): Action {
  const number = cursor.u32()
  const maxLen = cursor.u16()
  const usual = number === RESERVED_PORTS.controller ? 0xffff : 0
  return { kind: 'output', port: portFromNumber(number), ...(maxLen !== usual && { maxLen }) }
}

/** In the older form the length follows the field, in the newer the field follows the length. */
function decodeOutputField(cursor: Cursor, isOlder: boolean): Action {
  const range = cursor.u16()
  const older = isOlder ? cursor.take(4) : undefined
  const maxLen = cursor.u16()
  const src = subfieldOf(older ?? cursor.rest(), range >> 6, (range & 0x3f) + 1)
  return { kind: 'output_field', src, ...(maxLen !== 0xffff && { maxLen }) }
}

function decodeCheckPktLarger(cursor: Cursor): Action {
  const [bytes, offset] = [cursor.u16(), cursor.u16()]
  return { kind: 'check_pkt_larger', bytes, dst: subfieldOf(cursor.rest(), offset, 1) }
}

function decodeSetField(cursor: Cursor): Action | undefined {
  const bytes = cursor.rest()
  const { field, value, mask, bytes: used } = readOxm(bytes, 0)
  if (!field) return undefined
  if (!isAllZeros(bytes.subarray(used.length))) return cursor.fail('set_field: the padding is not zero')
  const given = valueFromBytes(field, value)
  return {
    kind: 'set_field',
    field: field.name,
    value: field.name === 'in_port' ? portFrom16(Number(given)) : given,
    ...(mask && { mask: valueFromBytes(field, mask) })
  }
}

function decodeMove(cursor: Cursor): Action {
  const [bits, srcOffset, dstOffset] = [cursor.u16(), cursor.u16(), cursor.u16()]
  cursor.skip(2)
  const takeField = (rest: Buffer, offset: number): [Subfield, Buffer] => {
    const { header } = readHeader(rest, 0)
    return [subfieldOf(rest, offset, bits), rest.subarray(header)]
  }
  const [src, rest] = takeField(cursor.rest(), srcOffset)
  return { kind: 'move', src, dst: takeField(rest, dstOffset)[0] }
}

type ControllerOptions = { -readonly [K in keyof Omit<ControllerAction, 'kind'>]: ControllerAction[K] }

function decodeController(cursor: Cursor): Action {
  return controller({ maxLen: cursor.u16(), controllerId: cursor.u16(), reason: cursor.u8() })
}

function decodeController2(cursor: Cursor): Action {
  cursor.skip(6)
  const found: ControllerOptions = {}
  while (cursor.left >= 4) {
    const [type, length] = [cursor.u16(), cursor.u16()]
    if (length < 4) return cursor.fail('a property shorter than its header')
    const value = cursor.inner(length - 4, 'controller property')
    cursor.skip(Math.min(cursor.left, (8 - (length % 8)) % 8))
    if (type === CONTROLLER2.maxLen) found.maxLen = value.u16()
    else if (type === CONTROLLER2.controllerId) found.controllerId = value.u16()
    else if (type === CONTROLLER2.reason) found.reason = value.u8()
    else if (type === CONTROLLER2.userdata) found.userdata = value.rest()
    else if (type === CONTROLLER2.pause) found.pause = true
    else if (type === CONTROLLER2.meter) found.meter = value.u32()
    else return cursor.fail(`unknown controller property ${type}`)
  }
  return controller(found)
}

/** A controller action without what is default. */
function controller(found: ControllerOptions): Action {
  const { maxLen = 0xffff, controllerId = 0, reason = REASON_ACTION, ...rest } = found
  return {
    kind: 'controller',
    ...(maxLen !== 0xffff && { maxLen }),
    ...(controllerId !== 0 && { controllerId }),
    ...(reason !== REASON_ACTION && { reason }),
    ...rest
  }
}
