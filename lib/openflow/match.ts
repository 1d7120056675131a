// Matches. encodeMatch writes exactly the bytes Open vSwitch sends back for the same match in an OpenFlow 1.5 flow description,
// so that what is wanted and what is installed compare byte by byte.
import { OpenFlowDecodeError } from './decode.js'
import { fieldOf, type Field, type FieldName, type Prerequisite } from './fields.js'
import { headerLength, readHeader, readOxms, writeHeader } from './oxm.js'
import { portFrom16 } from './port.js'
import { isAllOnes, isAllZeros, numberToBytes, valueFromBytes, valueToBytes, type FieldValue } from './value.js'

/**
 * What packets must look like: a value, or [value, mask], for each field. Ports are 32-bit numbers (RESERVED_PORTS).
 * `vlan_vid` carries OFPVID_PRESENT: 0x1000 | VID, or 0 for untagged frames.
 */
export type Match = Readonly<Partial<Record<FieldName, FieldValue | readonly [value: FieldValue, mask: FieldValue]>>>

/** A field's value and mask in wire form. No mask = all ones. */
interface Term {
  readonly field: Field
  readonly value: Buffer
  readonly mask: Buffer | undefined
}

const VLAN_VID_BITS = 0x1fff

/**
 * Bare OXM TLVs of a match, canonical: fields in Open vSwitch's order, all-ones masks dropped, bits outside the mask zero,
 * registers as 64-bit packet registers, vlan_tci as vlan_vid and vlan_pcp.
 * Throws RangeError for a value that does not fit and for a field whose prerequisite is missing.
 */
export function encodeMatch(match: Match): Buffer {
  const terms: Term[] = []
  for (const name of Object.keys(match) as FieldName[]) {
    const given = match[name] as FieldValue | readonly [FieldValue, FieldValue]
    const field = fieldOf(name === 'in_port' ? 'in_port_oxm' : name)
    if (typeof given === 'object') terms.push({ field, value: valueToBytes(field, given[0]), mask: valueToBytes(field, given[1]) })
    else terms.push({ field, value: valueToBytes(field, given), mask: undefined })
  }
  checkPrerequisites(terms)
  return writeTerms(canonicalTerms(terms))
}

/** The match that bare OXM TLVs stand for. Throws OpenFlowDecodeError on malformed bytes and on fields it does not know. */
export function decodeMatch(oxms: Buffer): Match {
  const match: Partial<Record<FieldName, FieldValue | readonly [FieldValue, FieldValue]>> = {}
  for (const { field, value, mask } of readTerms(oxms).flatMap(registerTerms)) {
    const name = field.name === 'in_port_oxm' ? 'in_port' : field.name
    if (match[name] !== undefined) throw new OpenFlowDecodeError(`match: ${name} is given twice`)
    match[name] = mask === undefined ? valueFromBytes(field, value) : [valueFromBytes(field, value), valueFromBytes(field, mask)]
  }
  return match
}

/**
 * A received match in canonical form: equal matches have equal bytes. Fields this library does not know go to the end, sorted.
 * Throws OpenFlowDecodeError on malformed bytes.
 */
export function canonicalOxms(oxms: Buffer): Buffer {
  if (isCanonical(oxms)) return oxms
  const unknown = readOxms(oxms).flatMap(({ field, bytes }) => (field ? [] : [bytes]))
  const known = writeTerms(canonicalTerms(readTerms(oxms, 'skip unknown')))
  return unknown.length === 0 ? known : Buffer.concat([known, ...unknown.sort((a, b) => a.compare(b))])
}

/** The usual case, which need not be taken apart: Open vSwitch writes OpenFlow 1.5 in canonical form. */
function isCanonical(oxms: Buffer): boolean {
  let rank = -1
  for (let at = 0; at < oxms.length;) {
    const { field, hasMask, header, payload } = readHeader(oxms, at)
    if (field === undefined || field.rank <= rank || isOtherForm(field)) return false
    const value = at + header
    at = value + payload
    if (at > oxms.length || payload !== field.bytes * (hasMask ? 2 : 1)) return false
    if (hasMask && !isTidy(field, oxms.subarray(value, value + field.bytes), oxms.subarray(value + field.bytes, at))) return false
    rank = field.rank
  }
  return true
}

/** What is written as another field: vlan_tci, the 16-bit in_port, registers that are no packet registers. */
function isOtherForm({ name, registerOffset }: Field): boolean {
  return name === 'in_port' || name === 'vlan_tci' || (registerOffset !== undefined && PACKET_REGISTERS[registerOffset >> 3] !== name)
}

function isTidy(field: Field, value: Buffer, mask: Buffer): boolean {
  return !isExact(field, mask) && !isAllZeros(mask) && value.every((byte, i) => (byte & ~(mask[i] ?? 0)) === 0)
}

function readTerms(oxms: Buffer, onUnknown?: 'skip unknown'): Term[] {
  return readOxms(oxms).flatMap(({ field, value, mask, bytes }): Term[] => {
    if (field) return [field.name === 'in_port' ? widenInPort(value, mask) : { field, value, mask }]
    if (onUnknown) return []
    throw new OpenFlowDecodeError(`match: unknown field ${bytes.toString('hex')}`)
  })
}

/** NXM_OF_IN_PORT has 16 bits, OpenFlow 1.1's in_port 32. */
function widenInPort(value: Buffer, mask: Buffer | undefined): Term {
  if (mask && !isAllOnes(mask)) throw new OpenFlowDecodeError('match: in_port takes no mask')
  const field = fieldOf('in_port_oxm')
  return { field, value: valueToBytes(field, portFrom16(value.readUInt16BE())), mask: undefined }
}

function canonicalTerms(terms: readonly Term[]): Term[] {
  const canonical: Term[] = []
  const registers = new Map<number, Register>()
  for (const term of terms) {
    if (term.field.registerOffset !== undefined) addRegister(registers, term, term.field.registerOffset)
    else if (term.field.name === 'vlan_tci') for (const part of vlanTerms(term)) addTidy(canonical, part)
    else addTidy(canonical, term)
  }
  for (const [index, { value, mask }] of registers) addTidy(canonical, { field: fieldOf(PACKET_REGISTERS[index] ?? 'xreg0'), value, mask })
  return canonical.sort((a, b) => a.field.rank - b.field.rank)
}

/** Drops a term that matches everything and a mask that masks nothing; clears the value's bits outside the mask. */
function addTidy(terms: Term[], term: Term): void {
  const { field, value, mask } = term
  if (mask === undefined) terms.push(term)
  else if (isExact(field, mask)) terms.push({ field, value, mask: undefined })
  else if (!isAllZeros(mask)) terms.push({ field, mask, value: masked(value, mask) })
}

function masked(value: Buffer, mask: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(value.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (value[i] ?? 0) & (mask[i] ?? 0)
  return bytes
}

/** Open vSwitch counts OFPVID_PRESENT and the 12 bits of the VID as the whole of vlan_vid. */
function isExact(field: Field, mask: Buffer): boolean {
  return isAllOnes(mask) || (field.name === 'vlan_vid' && mask.readUInt16BE() === VLAN_VID_BITS)
}

/** OpenFlow 1.5 has no vlan_tci: presence and VID go into vlan_vid, the priority into vlan_pcp (exact or not at all). */
function vlanTerms({ value, mask }: Term): Term[] {
  const tci = value.readUInt16BE()
  const bits = mask ? mask.readUInt16BE() : 0xffff
  const vid = tci & bits & VLAN_VID_BITS
  const terms: Term[] = [{ field: fieldOf('vlan_vid'), value: uint16(vid), mask: uint16(bits & VLAN_VID_BITS) }]
  if (vid !== 0 && bits >> 13 !== 0) terms.push({ field: fieldOf('vlan_pcp'), value: Buffer.from([(tci & bits) >> 13]), mask: undefined })
  return terms
}

function uint16(value: number): Buffer {
  return numberToBytes(value, 2) ?? Buffer.alloc(2)
}

interface Register { readonly value: Buffer, readonly mask: Buffer }

const PACKET_REGISTERS = ['xreg0', 'xreg1', 'xreg2', 'xreg3', 'xreg4', 'xreg5', 'xreg6', 'xreg7'] as const satisfies readonly FieldName[]

/** The views have 64 bytes in common; each packet register covers 8 of them. */
function addRegister(registers: Map<number, Register>, { field, value, mask }: Term, start: number): void {
  for (let i = 0; i < field.bytes; i++) {
    const index = (start + i) >> 3
    let register = registers.get(index)
    if (register === undefined) registers.set(index, register = { value: Buffer.alloc(8), mask: Buffer.alloc(8) })
    const at = (start + i) & 7
    const bits = mask?.[i] ?? 0xff
    register.value[at] = (register.value[at] ?? 0) | ((value[i] ?? 0) & bits)
    register.mask[at] = (register.mask[at] ?? 0) | bits
  }
}

/** A 64-bit packet register as the 32-bit registers that people write. */
function registerTerms(term: Term): Term[] {
  if (!term.field.name.startsWith('xreg')) return [term]
  const index = Number(term.field.name.slice(4))
  const mask = term.mask ?? Buffer.alloc(8, 0xff)
  return [0, 1].flatMap((half) => {
    const field = fieldOf(`reg${2 * index + half}` as FieldName)
    const terms: Term[] = []
    addTidy(terms, { field, value: term.value.subarray(4 * half, 4 * half + 4), mask: mask.subarray(4 * half, 4 * half + 4) })
    return terms
  })
}

function writeTerms(terms: readonly Term[]): Buffer {
  const length = terms.reduce((sum, { field, mask }) => sum + headerLength(field.oxm) + field.bytes * (mask ? 2 : 1), 0)
  const bytes = Buffer.allocUnsafe(length)
  let offset = 0
  for (const { field, value, mask } of terms) {
    offset = writeHeader(bytes, offset, field.oxm, mask !== undefined, field.bytes * (mask ? 2 : 1))
    offset += value.copy(bytes, offset)
    if (mask) offset += mask.copy(bytes, offset)
  }
  return bytes
}

type Requirement = readonly [field: 'eth_type' | 'nw_proto' | 'icmpv6_type', values: readonly number[]]

const ARP: Requirement = ['eth_type', [0x0806, 0x8035]]
const IP: Requirement = ['eth_type', [0x0800, 0x86dd]]
const IPV4: Requirement = ['eth_type', [0x0800]]
const IPV6: Requirement = ['eth_type', [0x86dd]]
const ICMPV6: readonly Requirement[] = [IPV6, ['nw_proto', [58]]]

/** Fields, and their values, that satisfy a prerequisite; an empty list = not checked here. */
const PREREQUISITES: Readonly<Record<Prerequisite, readonly Requirement[]>> = {
  vlan: [],
  mpls: [['eth_type', [0x8847, 0x8848]]],
  ip: [IP],
  ipv4: [IPV4],
  ipv6: [IPV6],
  arp: [ARP],
  tcp: [IP, ['nw_proto', [6]]],
  udp: [IP, ['nw_proto', [17]]],
  sctp: [IP, ['nw_proto', [132]]],
  icmp: [IPV4, ['nw_proto', [1]]],
  icmpv6: ICMPV6,
  nd: [...ICMPV6, ['icmpv6_type', [135, 136]]],
  ns: [...ICMPV6, ['icmpv6_type', [135]]],
  na: [...ICMPV6, ['icmpv6_type', [136]]],
  nsh: [['eth_type', [0x894f]]]
}

/** The switch would refuse the flow with OFPBMC_BAD_PREREQ, without saying which field: better said here. */
function checkPrerequisites(terms: readonly Term[]): void {
  for (const { field } of terms) {
    if (field.prerequisite === undefined) continue
    for (const [name, allowed] of PREREQUISITES[field.prerequisite]) {
      const found = terms.find((term) => term.field.name === name)
      if (found && allowed.includes(found.value.readUIntBE(0, found.value.length))) continue
      throw new RangeError(`a match on ${field.name} needs ${name}=${allowed.join(' or ')}`)
    }
  }
}
