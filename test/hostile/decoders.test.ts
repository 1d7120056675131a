// Every decoder of the libraries, by its name: it decodes, or raises its library's one error, and soon. None is left out: the list
// is compared with what the sources export. (What OpenFlow's are fed with: test/openflow/hostile.test.ts; sessions: codecs.test.ts.)
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { decodeBridgePortNews } from '../../lib/netlink/link.js'
import { decodeLink, decodeMessage, decodeNeigh, decodeNexthop, decodeRoute, decodeVlan, frames, NetlinkDecodeError } from '../../lib/netlink/index.js'
import { decodeReply } from '../../lib/netlink/reply.js'
import { OvsdbError, parseRemote } from '../../lib/ovsdb/index.js'
import { decodeValue, type ColumnType } from '../../lib/ovsdb/notation.js'
import { parseError, parseResults } from '../../lib/ovsdb/operations.js'
import { selectColumns } from '../../lib/ovsdb/schema.js'
import { decodeTableUpdates, decodeTableUpdates2 } from '../../lib/ovsdb/updates.js'
import { cases } from '../netlink/support/fixture.js'
import { DECODERS } from '../openflow/decoders.js'
import { SEED, soon } from './input.js'

/** A part of a datagram: type, bytes, from where to where. */
type OfPart = (data: Buffer, start: number, end: number) => unknown

const NETLINK: Readonly<Record<string, OfPart>> = {
  decodeLink, decodeBridgePortNews, decodeNeigh, decodeNexthop, decodeRoute, decodeVlan,
  decodeMessage: (data, start, end) => [16, 17, 24, 28, 29, 104, 105, 112, 113, 0xffff].map((type) => decodeMessage(type, data, start, end, { withAges: true })),
  decodeReply: (data, start, end) => [2, 3].map((type) => decodeReply(data, { type, flags: 0x100, seq: 1, pid: 0, start, end }, 'a request'))
}

const TYPES: readonly ColumnType[] = [
  { kind: 'scalar', key: 'string' }, { kind: 'scalar', key: 'integer' }, { kind: 'set', key: 'uuid', min: 0, max: Infinity }, { kind: 'map', key: 'string', value: 'string', min: 0, max: Infinity }
]
const UUID = '11111111-2222-3333-4444-555555555555'
const COLUMNS = new Map([['Bridge', new Map(TYPES.map((type, i) => [`c${i}`, type]))]])
const ROWS = new Map([['Bridge', new Map([[UUID, { c0: 'br0', c1: 1, c2: [], c3: new Map() }]])]])
const OPERATIONS = [{ op: 'insert', table: 'Bridge' }, { op: 'comment' }]

const OVSDB: Readonly<Record<string, (json: unknown) => unknown>> = {
  decodeValue: (json) => TYPES.map((type) => attempt(() => decodeValue(type, json), OvsdbError)),
  decodeTableUpdates: (json) => decodeTableUpdates(COLUMNS, ROWS, json),
  decodeTableUpdates2: (json) => decodeTableUpdates2(COLUMNS, ROWS, json),
  parseError, parseResults: (json) => parseResults(OPERATIONS, json),
  parseRemote: (json) => parseRemote(typeof json === 'string' ? json : JSON.stringify(json)),
  selectColumns: (json) => selectColumns(json, { Bridge: ['name', 'ports'] })
}

/** Reads a field by a table of facts, which is its caller's: no decoder of its own. */
const PARTS = ['decodeField']

/** Decodes, or raises the library's one error; anything else is a failure. */
function attempt(decode: () => unknown, mayRaise: new (...args: never[]) => Error): void {
  try {
    decode()
  } catch (error) {
    if (!(error instanceof mayRaise)) throw error
  }
}

for (const [folder, known] of [['netlink', NETLINK], ['openflow', DECODERS], ['ovsdb', OVSDB]] as const) {
  await t.test(`every decoder that lib/${folder} exports meets hostile input`, (t) => {
    const exported = readdirSync(`lib/${folder}`).flatMap((file) => [...readFileSync(`lib/${folder}/${file}`, 'utf8').matchAll(/^export (?:async )?function ((?:decode|parse)\w*)/gm)].map(([, name = '']) => name))
    t.ok(exported.length > 4, `${exported.length} decoders are found`)
    t.strictSame([...new Set(exported)].filter((name) => !(name in known) && !PARTS.includes(name)), [], 'none is missing here')
    t.end()
  })
}

const CAPTURED = ['fdb', 'neighbour', 'nexthop', 'link', 'vlan'].flatMap(cases).map(({ bytes }) => bytes)
const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 })
const bytes = fc.oneof(fc.uint8Array({ maxLength: 120 }).map((each) => Buffer.from(each)), fc.tuple(fc.constantFrom(...CAPTURED), damage, fc.nat(200)).map(([whole, changes, cut]) => {
  const copy = Buffer.from(whole)
  for (const [at, value] of changes) copy[at % copy.length] = value
  return cut % 3 === 0 ? copy.subarray(0, cut) : copy
}))

await t.test(`netlink: any bytes, to every decoder (seed ${SEED})`, (t) => {
  fc.assert(fc.property(bytes, fc.nat(40), (data, at) => soon(() => {
    const start = Math.min(at, data.length)
    for (const decode of Object.values(NETLINK)) attempt(() => decode(data, start, data.length), NetlinkDecodeError)
    attempt(() => [...frames(data)], NetlinkDecodeError)
  })), { numRuns: 3000, seed: SEED })
  t.pass('3,000 of them')
  t.end()
})

const nearly = (good: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.oneof({ weight: 6, arbitrary: good }, { weight: 1, arbitrary: fc.jsonValue() })
const value = nearly(fc.oneof(fc.string(), fc.integer(), fc.constant(['uuid', UUID]), fc.array(nearly(fc.constant(['uuid', UUID]))).map((items) => ['set', items]),
  fc.array(fc.tuple(nearly(fc.string()), nearly(fc.string()))).map((pairs) => ['map', pairs])))
const row = nearly(fc.dictionary(fc.constantFrom('c0', 'c1', 'c2', 'c3', '__proto__'), value, { maxKeys: 4 }))
const change = nearly(fc.dictionary(fc.constantFrom('initial', 'insert', 'modify', 'delete', 'old', 'new'), row, { maxKeys: 2 }))
const updates = nearly(fc.dictionary(fc.constantFrom('Bridge', 'Port', '__proto__'), nearly(fc.dictionary(fc.constantFrom(UUID, 'x', '__proto__'), change)), { maxKeys: 2 }))
const results = nearly(fc.array(nearly(fc.record({ uuid: value, count: fc.nat(), error: fc.string(), details: value }, { requiredKeys: [] })), { maxLength: 3 }))

await t.test(`OVSDB: any JSON, to every decoder (seed ${SEED})`, (t) => {
  fc.assert(fc.property(fc.oneof(value, updates, results, fc.jsonValue()), (json) => soon(() => {
    for (const decode of Object.values(OVSDB)) attempt(() => decode(json), OvsdbError)
  })), { numRuns: 3000, seed: SEED })
  t.pass('3,000 of them')
  t.end()
})
