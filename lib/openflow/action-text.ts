// Actions and instructions as ovs-ofctl dump-flows prints them.
import type { Action, ControllerAction, LearnAction, LearnSpec, Subfield } from './action.js'
import { resolve } from './action-bytes.js'
import { decodeActions } from './action-decode.js'
import { fieldOf, type FieldName } from './fields.js'
import type { Instruction } from './instruction.js'
import { portNumber, RESERVED_PORTS, type Port } from './port.js'
import { formatIp, formatMac, formatPort, hex } from './text.js'
import { isAllOnes, valueToBytes, type FieldValue } from './value.js'

/** A list of actions, from values or from bytes, in ovs-ofctl's syntax; an empty list is `drop`. */
export function formatActions(given: readonly Action[] | Buffer): string {
  const actions = Buffer.isBuffer(given) ? decodeActions(given) : given
  return actions.length === 0 ? 'drop' : actions.map(formatAction).join(',')
}

/** The instructions of a flow in ovs-ofctl's syntax. */
export function formatInstructions(instructions: readonly Instruction[]): string {
  return instructions.length === 0 ? 'drop' : instructions.map(formatInstruction).join(',')
}

function formatInstruction(instruction: Instruction): string {
  switch (instruction.kind) {
    case 'apply_actions':
      return formatActions(instruction.actions)
    case 'write_actions':
      return `write_actions(${formatActions(instruction.actions)})`
    case 'clear_actions':
      return 'clear_actions'
    case 'goto_table':
      return `goto_table:${instruction.table}`
    case 'write_metadata':
      return `write_metadata:${hex(instruction.value)}${instruction.mask === 0xffffffffffffffffn ? '' : `/${hex(instruction.mask)}`}`
    case 'unknown':
      return `unknown(${instruction.bytes.toString('hex')})`
  }
}

function formatAction(action: Action): string {
  switch (action.kind) {
    case 'output':
      return formatOutput(action.port, action.maxLen)
    case 'output_field':
      return `output:${formatSubfield(action.src)}`
    case 'group':
      return `group:${action.group}`
    case 'set_field':
      return `set_field:${formatValue(action.field, action.value, action.mask)}->${fieldOf(action.field).name}`
    case 'move':
      return `move:${formatSubfield(action.src)}->${formatSubfield(action.dst)}`
    case 'resubmit':
      return formatResubmit(action.table, action.inPort, action.ct)
    case 'push_vlan':
      return `push_vlan:${hex(BigInt(action.ethertype))}`
    case 'meter':
      return `meter:${action.meter}`
    case 'set_queue':
      return `set_queue:${action.queue}`
    case 'conjunction':
      return `conjunction(${action.id},${action.clause + 1}/${action.clauses})`
    case 'check_pkt_larger':
      return `check_pkt_larger(${action.bytes})->${formatSubfield(action.dst)}`
    case 'clone':
      return `clone(${formatActions(action.actions)})`
    case 'learn':
      return formatLearn(action)
    case 'controller':
      return formatController(action)
    case 'unknown':
      return `unknown(${action.bytes.toString('hex')})`
    case 'pop_vlan':
    case 'dec_ttl':
    case 'exit':
    case 'ct_clear':
      return action.kind
  }
}

function formatOutput(port: Port, maxLen: number | undefined): string {
  const number = portNumber(port)
  if (number === RESERVED_PORTS.controller) return `CONTROLLER:${maxLen ?? 0xffff}`
  return number < 0xffffff00 ? `output:${number}` : formatPort(number)
}

function formatResubmit(table: number | undefined, inPort: number | undefined, ct: boolean | undefined): string {
  const port = inPort === undefined ? '' : formatPort(inPort)
  if (inPort !== undefined && table === undefined) return `resubmit:${port}`
  return `resubmit(${port},${table ?? ''}${ct ? ',ct' : ''})`
}

/** A field by its older NXM name with the range of bits: `NXM_NX_REG0[0..15]`, `[]` for all of it. */
function formatSubfield(subfield: Subfield): string {
  const { field, offset, bits } = resolve(subfield)
  const range = bits === field.bits ? '' : bits === 1 ? `${offset}` : `${offset}..${offset + bits - 1}`
  return `${field.nxm.name}[${range}]`
}

function formatValue(name: FieldName, value: FieldValue, mask?: FieldValue): string {
  const field = fieldOf(name)
  const bits = mask !== undefined && isAllOnes(valueToBytes(field, mask)) ? undefined : mask
  if (field.kind === 'mac') return formatMac(String(value), bits === undefined ? undefined : String(bits))
  if (field.kind === 'ipv4' || field.kind === 'ipv6') return formatIp(String(value), bits === undefined ? undefined : String(bits))
  if (field.kind === 'port') return formatPort(Number(value))
  const text = field.kind === 'hex' ? hex(BigInt(value)) : String(value)
  return bits === undefined ? text : `${text}/${hex(BigInt(bits))}`
}

function formatController(action: ControllerAction): string {
  const { maxLen, controllerId, reason, userdata, pause, meter } = action
  const parts = [
    ...(reason === undefined ? [] : [`reason=${REASONS[reason] ?? reason}`]),
    ...(maxLen === undefined ? [] : [`max_len=${maxLen}`]),
    ...(controllerId === undefined ? [] : [`id=${controllerId}`]),
    ...(userdata?.length ? [`userdata=${userdata.toString('hex').replace(/(..)(?=.)/g, '$1.')}`] : []),
    ...(pause ? ['pause'] : []),
    ...(meter === undefined ? [] : [`meter_id=${meter}`])
  ]
  const isPlain = parts.length === (maxLen === undefined ? 0 : 1)
  return isPlain ? `CONTROLLER:${maxLen ?? 0xffff}` : `controller(${parts.join(',')})`
}

const REASONS: Readonly<Record<number, string>> = { 0: 'no_match', 2: 'invalid_ttl', 3: 'action_set', 4: 'group', 5: 'packet_out' }

function formatLearn(learn: LearnAction): string {
  const parts = [
    `table=${learn.table}`,
    ...(learn.idleTimeout ? [`idle_timeout=${learn.idleTimeout}`] : []),
    ...(learn.hardTimeout ? [`hard_timeout=${learn.hardTimeout}`] : []),
    ...(learn.finIdleTimeout ? [`fin_idle_timeout=${learn.finIdleTimeout}`] : []),
    ...(learn.finHardTimeout ? [`fin_hard_timeout=${learn.finHardTimeout}`] : []),
    ...(learn.priority === undefined || learn.priority === 0x8000 ? [] : [`priority=${learn.priority}`]),
    ...(learn.sendFlowRemoved ? ['send_flow_rem'] : []),
    ...(learn.deleteLearned ? ['delete_learned'] : []),
    ...(learn.cookie ? [`cookie=${hex(learn.cookie)}`] : []),
    ...(learn.limit ? [`limit=${learn.limit}`] : []),
    ...learn.specs.map(formatSpec)
  ]
  return `learn(${parts.join(',')})`
}

function formatSpec(spec: LearnSpec): string {
  if (spec.kind === 'output') return `output:${formatSubfield(spec.src)}`
  const dst = formatSubfield(spec.dst)
  if ('value' in spec.src) return formatConstant(spec.kind, spec.dst, spec.src.value)
  const src = formatSubfield(spec.src)
  if (spec.kind === 'load') return `load:${src}->${dst}`
  const isSame = fieldOf(spec.src.field) === fieldOf(spec.dst.field) && (spec.src.offset ?? 0) === (spec.dst.offset ?? 0)
  return isSame ? dst : `${dst}=${src}`
}

/** A constant: in the field's own form when all of the field is matched, else in hex. */
function formatConstant(kind: 'match' | 'load', dst: Subfield, value: FieldValue): string {
  const { field, bits } = resolve(dst)
  const raw = hex(typeof value === 'string' ? BigInt(`0x${valueToBytes(field, value).toString('hex')}`) : BigInt(value))
  if (kind === 'load') return `load:${raw}->${formatSubfield(dst)}`
  return bits === field.bits ? `${field.name}=${formatValue(field.name, value)}` : `${formatSubfield(dst)}=${raw}`
}
