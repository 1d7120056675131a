// Actions to bytes, in the form in which Open vSwitch sends them back over OpenFlow 1.5 (so set_field, never reg_load).
import { CONTROLLER2, CURRENT_TABLE, NXAST, OFPAT, REASON_ACTION, type Action, type ControllerAction, type Subfield } from './action.js'
import { nicira, property, resolve, standard, uint } from './action-bytes.js'
import { fieldOf, type FieldName } from './fields.js'
import { encodeLearn } from './learn.js'
import { encodeHeader, encodeOxm } from './oxm.js'
import { portNumber, portTo16, RESERVED_PORTS, type Port } from './port.js'
import { isAllOnes, valueToBytes, type FieldValue } from './value.js'

/** A list of actions. Throws RangeError for a value that does not fit its field. */
export function encodeActions(actions: readonly Action[]): Buffer {
  return Buffer.concat(actions.map(encodeAction))
}

/** One action, its length a multiple of 8. */
export function encodeAction(action: Action): Buffer {
  switch (action.kind) {
    case 'output':
      return standard(OFPAT.output, encodeOutput(action.port, action.maxLen))
    case 'output_field':
      return encodeOutputField(action.src, action.maxLen)
    case 'group':
      return standard(OFPAT.group, uint(action.group, 4))
    case 'set_field':
      return encodeSetField(action.field, action.value, action.mask)
    case 'move':
      return encodeMove(action.src, action.dst)
    case 'resubmit':
      return encodeResubmit(action.table ?? CURRENT_TABLE, action.inPort ?? RESERVED_PORTS.in_port, action.ct ?? false)
    case 'push_vlan':
      return standard(OFPAT.push_vlan, uint(action.ethertype, 2))
    case 'pop_vlan':
      return standard(OFPAT.pop_vlan)
    case 'dec_ttl':
      return standard(OFPAT.dec_ttl)
    case 'meter':
      return standard(OFPAT.meter, uint(action.meter, 4))
    case 'set_queue':
      return standard(OFPAT.set_queue, uint(action.queue, 4))
    case 'conjunction':
      return nicira(NXAST.conjunction, uint(action.clause, 1), uint(action.clauses, 1), uint(action.id, 4))
    case 'check_pkt_larger':
      return encodeCheckPktLarger(action.bytes, action.dst)
    case 'clone':
      return nicira(NXAST.clone, Buffer.alloc(6), encodeActions(action.actions))
    case 'exit':
      return nicira(NXAST.exit)
    case 'ct_clear':
      return nicira(NXAST.ct_clear)
    case 'learn':
      return encodeLearn(action)
    case 'controller':
      return encodeController(action)
    case 'unknown':
      return action.bytes
  }
}

/** max_len only matters to a controller; Open vSwitch keeps and returns it for every port. */
function encodeOutput(port: Port, maxLen: number | undefined): Buffer {
  const number = portNumber(port)
  return Buffer.concat([uint(number, 4), uint(maxLen ?? (number === RESERVED_PORTS.controller ? 0xffff : 0), 2), Buffer.alloc(6)])
}

/** The older form names the field with 4 bytes; Open vSwitch keeps to it where it can. */
function encodeOutputField(src: Subfield, maxLen = 0xffff): Buffer {
  const { field, offset, bits } = resolve(src)
  const range = uint((offset << 6) | (bits - 1), 2)
  if (field.nxm.experimenter === undefined) {
    return nicira(NXAST.output_reg, range, encodeHeader(field.nxm, field.bytes), uint(maxLen, 2), Buffer.alloc(6))
  }
  return nicira(NXAST.output_reg2, range, uint(maxLen, 2), padTo(encodeHeader(field.oxm, field.bytes), 10))
}

function encodeCheckPktLarger(bytes: number, dst: Subfield): Buffer {
  const { field, offset, bits } = resolve(dst)
  if (bits !== 1) throw new RangeError(`check_pkt_larger: ${dst.field} takes ${bits} bits, not 1`)
  return nicira(NXAST.check_pkt_larger, uint(bytes, 2), uint(offset, 2), padTo(encodeHeader(field.oxm, field.bytes), 10))
}

function padTo(bytes: Buffer, length: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(length - bytes.length)])
}

/** set_field of in_port goes through NXM_OF_IN_PORT: OpenFlow forbids it for the 32-bit field. */
function encodeSetField(name: FieldName, value: FieldValue, mask: FieldValue | undefined): Buffer {
  const field = fieldOf(name)
  const valueBytes = valueToBytes(field, field.name === 'in_port' ? portTo16(Number(value)) : value)
  const maskBytes = mask === undefined ? undefined : valueToBytes(field, mask)
  if (maskBytes === undefined || isAllOnes(maskBytes)) return standard(OFPAT.set_field, encodeOxm(field.oxm, valueBytes))
  const masked = Buffer.from(valueBytes.map((byte, i) => byte & (maskBytes[i] ?? 0)))
  return standard(OFPAT.set_field, encodeOxm(field.oxm, masked, maskBytes))
}

function encodeMove(source: Subfield, target: Subfield): Buffer {
  const src = resolve(source)
  const dst = resolve(target)
  if (src.bits !== dst.bits) throw new RangeError(`move: ${source.field} gives ${src.bits} bits, ${target.field} takes ${dst.bits}`)
  const headers = [src, dst].map(({ field }) => encodeHeader(field.oxm, field.bytes))
  return standard(OFPAT.copy_field, uint(dst.bits, 2), uint(src.offset, 2), uint(dst.offset, 2), Buffer.alloc(2), ...headers)
}

function encodeResubmit(table: number, inPort: number, ct: boolean): Buffer {
  return nicira(ct ? NXAST.resubmit_table_ct : NXAST.resubmit_table, uint(portTo16(inPort), 2), uint(table, 1), Buffer.alloc(3))
}

/** The short form where it can say it all, else NXAST_CONTROLLER2 with only the properties that differ from the default. */
function encodeController(action: ControllerAction): Buffer {
  const { maxLen = 0xffff, controllerId = 0, reason = REASON_ACTION, userdata, pause = false, meter } = action
  if (!userdata?.length && !pause && meter === undefined) {
    return nicira(NXAST.controller, uint(maxLen, 2), uint(controllerId, 2), uint(reason, 1), Buffer.alloc(1))
  }
  const properties: Buffer[] = []
  if (maxLen !== 0xffff) properties.push(property(CONTROLLER2.maxLen, uint(maxLen, 2), 8))
  if (controllerId !== 0) properties.push(property(CONTROLLER2.controllerId, uint(controllerId, 2), 8))
  if (reason !== REASON_ACTION) properties.push(property(CONTROLLER2.reason, uint(reason, 1)))
  if (userdata?.length) properties.push(property(CONTROLLER2.userdata, userdata))
  if (pause) properties.push(property(CONTROLLER2.pause, Buffer.alloc(0)))
  if (meter !== undefined) properties.push(property(CONTROLLER2.meter, uint(meter, 4)))
  return nicira(NXAST.controller2, Buffer.alloc(6), ...properties)
}
