// Configuration strings: ovs-vsctl takes any key and any value, so anything may stand there. The parsers never raise, and what
// they say of a bad value is short, however long the value is.
import fc from 'fast-check'
import t from 'tap'
import { ADDRESSES, parseBridge } from '../../lib/config/bridge.js'
import { BridgePorts } from '../../lib/config/bridge-ports.js'
import { readDatabase } from '../../lib/config/database.js'
import { VNI_OPTIONS } from '../../lib/config/option.js'
import { parsePort, PORT_KEYS } from '../../lib/config/port.js'
import { parseSystem, SYSTEM_KEYS } from '../../lib/config/system.js'
import { formatWarning, type Warning } from '../../lib/config/warning.js'
import { parseLevelSpec } from '../../lib/daemon/log/level.js'
import { formatLine } from '../../lib/daemon/log/line.js'
import { parseIp } from '../../lib/net/ip.js'
import { parseMac } from '../../lib/net/mac.js'
import { parseUdpPort, parseVni } from '../../lib/net/number.js'
import { OvsdbError, parseRemote } from '../../lib/ovsdb/index.js'
import { database, view } from '../config/rows.js'
import { SEED } from './input.js'

const KEYS = [
  ...SYSTEM_KEYS, ...PORT_KEYS, 'attached-mac', 'system-id', ADDRESSES, 'evpn-speaker', ...VNI_OPTIONS.map(({ key }) => key),
  '__proto__', 'constructor', 'toString', 'hasOwnProperty'
]

/** Pieces of what belongs there, of what does not, and any characters at all. */
const piece = fc.oneof(
  fc.constantFrom('02:00:00:00:00:01', '01:00:5e:00:00:01', '10.0.0.1', '2001:db8::1', 'fe80::1%eth0', '::ffff:1.2.3.4', 'unknown', 'true', 'vtep',
    'none', '1000', '4294967296', '-1', '0x10', '1e3', '10:1000', '1000-192.0.2.1', ',', ' ', '-', ':', '\n', '\0', '\u202e', '\ud800', '"', '\\'),
  fc.string({ unit: 'binary', maxLength: 20 })
)
const value = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
const key = fc.oneof(fc.constantFrom(...KEYS), fc.tuple(fc.constantFrom(...KEYS), fc.constantFrom('-', '--', ' ', '-0', '-1000', '-16777216'), value)
  .map((parts) => parts.join('')), value)
const ids = fc.array(fc.tuple(key, value), { maxLength: 8 }).map((pairs) => new Map(pairs))

/** A line of the log is a line: no warning may be longer, or carry what a terminal obeys. */
const LONGEST_WARNING = 1000

function check(warnings: readonly Warning[]): void {
  for (const warning of warnings) {
    const text = formatWarning(warning)
    if (text.length > LONGEST_WARNING) throw new Error(`a warning of ${text.length} characters: ${text.slice(0, 200)}`)
    const line = formatLine({ at: 0, sequence: 1, module: 'evpn', level: 'warn', text })
    if (/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/.test(line)) throw new Error(`a control character in the log: ${JSON.stringify(line)}`)
  }
}

await t.test(`any external_ids are read or warned about, in every table (seed ${SEED})`, (t) => {
  fc.assert(fc.property(ids, fc.string({ unit: 'binary' }), (pairs, name) => {
    check(parseSystem(pairs).warnings)
    check(parseBridge(name, pairs).warnings)
    check(parsePort(name, pairs).warnings)
  }), { numRuns: 3000, seed: SEED })
  t.pass('3,000 records')
  t.end()
})

await t.test(`a whole database of such records is read (seed ${SEED})`, (t) => {
  const record = ids.map((pairs) => Object.fromEntries(pairs))
  fc.assert(fc.property(record, record, fc.array(record, { maxLength: 4 }), (system, bridge, ports) => {
    const named = Object.fromEntries(ports.map((ids, i) => [`vm${i}`, { ids }]))
    check(readDatabase(view(database({ 'br-int': { ids: bridge, ports: named } }, system)), new BridgePorts()).warnings)
  }), { numRuns: 1000, seed: SEED })
  t.pass('1,000 databases')
  t.end()
})

await t.test(`single words: a value or undefined, a remote or OvsdbError, a level or its error (seed ${SEED})`, (t) => {
  fc.assert(fc.property(value, (text) => {
    for (const parse of [parseMac, parseIp, parseVni, parseUdpPort, parseLevelSpec]) parse(text)
    try {
      parseRemote(text)
    } catch (error) {
      if (!(error instanceof OvsdbError)) throw error
    }
  }), { numRuns: 3000, seed: SEED })
  t.pass('3,000 words')
  t.end()
})

const LONG: Readonly<Record<string, string>> = {
  'one item of 100,000 characters': 'x'.repeat(100_000),
  'addresses of 100,000 characters without a comma': '02:00:00:00:00:01' + ' 10.0.0'.repeat(15_000),
  '20,000 bad items': 'x,'.repeat(20_000),
  '20,000 good MACs': Array.from({ length: 20_000 }, (_, i) => `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`).join(','),
  'colons': '1:'.repeat(50_000),
  'dashes': '1-'.repeat(50_000),
  'spaces': ' '.repeat(100_000)
}

for (const [what, text] of Object.entries(LONG)) {
  await t.test(`a value with ${what}, for every key: a few warnings, and quickly`, (t) => {
    const start = performance.now()
    for (const name of KEYS) {
      const pairs = new Map([[name, text], [`${name}-1000`, text]])
      const warnings = [...parseSystem(pairs).warnings, ...parseBridge('br-int', pairs).warnings, ...parsePort('vm1', pairs).warnings]
      check(warnings)
      if (warnings.length > 50) t.fail(`${name}: ${warnings.length} warnings of one value`)
    }
    const elapsed = performance.now() - start
    t.ok(elapsed < 20_000, `${KEYS.length} keys took ${Math.round(elapsed)} ms`)
    t.end()
  })
}

await t.test('a key of 100,000 characters is named in a short warning', (t) => {
  const pairs = new Map([['evpn-' + 'x'.repeat(100_000), 'true'], ['dynamic-routing-' + '-1'.repeat(50_000), ''], ['ovn-evpn-' + '1'.repeat(100_000), '']])
  const warnings = [...parseSystem(pairs).warnings, ...parseBridge('b'.repeat(100_000), pairs).warnings, ...parsePort('vm1', pairs).warnings]
  check(warnings)
  t.ok(warnings.length >= 5, `${warnings.length} warnings`)
  t.end()
})
