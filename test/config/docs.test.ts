// docs/configuration.md against the code: the same keys, the same defaults,
// and every command in it is one that the daemon understands.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { ADDRESSES, EMPTY_BRIDGE, parseBridge, SPEAKER } from '../../lib/config/bridge.js'
import { VNI_OPTIONS } from '../../lib/config/option.js'
import { parsePort, PORT_KEYS } from '../../lib/config/port.js'
import { parseSystem, SYSTEM_KEYS } from '../../lib/config/system.js'
import { ids, sentences } from './warnings.js'

const DOC = readFileSync('docs/configuration.md', 'utf8')

/** The rows of the table under a heading, as records by column name; the key without its quotes. */
function table(heading: string): Readonly<Record<string, string>>[] {
  const section = DOC.split(/\n##+ /).find((text) => text.startsWith(heading)) ?? ''
  const [head = [], , ...rows] = section.split('\n').filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
  return rows.map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i] ?? ''])))
}

function keys(rows: readonly Readonly<Record<string, string>>[]): string[] {
  return rows.map((row) => (row['Key'] ?? '').replaceAll('`', ''))
}

const SYSTEM = table('The chassis')
const BRIDGE = table('A VNI')
const PORT = table('A workload')

await t.test('the document has the keys of the code, all of them, in its order', (t) => {
  t.strictSame(keys(SYSTEM), [...SYSTEM_KEYS])
  t.strictSame(keys(BRIDGE), [...VNI_OPTIONS.map((option) => option.key), ADDRESSES, SPEAKER])
  const [vni, addresses, advertise] = PORT_KEYS
  t.strictSame(keys(PORT), [vni, addresses, 'attached-mac', advertise])
  t.end()
})

/** A default as the document writes it. */
function written(value: string | number | boolean | readonly (string | number)[] | undefined): string {
  if (value === undefined) return 'the first of `ovn-evpn-vxlan-ports`'
  return `\`${(typeof value === 'object' ? value.join(',') : String(value)).replaceAll('1000', '<vni>')}\``
}

for (const [i, option] of VNI_OPTIONS.entries()) {
  await t.test(`the document on ${option.key}: default, form per VNI`, (t) => {
    const row = BRIDGE[i]
    t.equal(row?.['Default'], written(option.fallback(1000)))
    t.equal(row?.['Per VNI'], 'both forms')
    t.end()
  })
}

await t.test('the document on defaults outside the table of options', (t) => {
  const { config } = parseSystem(ids({}))
  t.equal(SYSTEM[1]?.['Default'], written(config.vxlanPorts))
  t.equal(SYSTEM[2]?.['Default'], written(config.bridge))
  t.equal(BRIDGE.at(-1)?.['Default'], written(EMPTY_BRIDGE.speaker))
  const port = parsePort('vm1', ids({ 'dynamic-routing-vni': '1' })).config?.bindings[0]
  t.equal(PORT[3]?.['Default'], written(port?.advertise))
  t.strictSame(port?.addresses.bound, [], 'no addresses by default')
  t.end()
})

await t.test('no cell is empty', (t) => {
  for (const row of [...SYSTEM, ...BRIDGE, ...PORT]) t.ok(Object.values(row).every((cell) => cell !== ''), row['Key'] ?? '')
  t.end()
})

const COMMANDS = [...DOC.matchAll(/^ {4}ovs-vsctl set (?<table>\w+) (?<record>\S+) external_ids:(?<key>[^=]+)="?(?<value>[^"\n]*)"?$/gm)]
  .flatMap(({ groups }) => (groups === undefined || groups['table'] === 'TABLE' ? [] : [groups]))

const PARSERS: Readonly<Record<string, (record: string, externalIds: ReadonlyMap<string, string>) => string[]>> = {
  Open_vSwitch: (_, externalIds) => sentences(parseSystem(externalIds).warnings),
  Bridge: (record, externalIds) => sentences(parseBridge(record, externalIds).warnings),
  Interface: (record, externalIds) => sentences(parsePort(record, new Map([['dynamic-routing-vni', '1'], ...externalIds])).warnings)
}

await t.test('every command in the document is understood without a warning', (t) => {
  t.ok(COMMANDS.length >= 12, `${COMMANDS.length} commands`)
  for (const { table: name = '', record = '', key = '', value = '' } of COMMANDS) {
    t.strictSame(PARSERS[name]?.(record, ids({ [key]: value })), [], `${name} ${record} ${key}=${value}`)
  }
  t.end()
})

await t.test('every warning in the document is one that the daemon says', (t) => {
  const quoted = [...DOC.matchAll(/^ {4}(?<table>\w+) (?<record>\S+) external_ids:(?<key>[^=]+)="(?<value>[^"]*)": (?<why>.*)$/gm)]
  t.equal(quoted.length, 3)
  for (const { 0: line, groups: { table: name = '', record = '', key = '', value = '' } = {} } of quoted) {
    t.strictSame(PARSERS[name]?.(record, ids({ [key]: value })), [line.trim()])
  }
  t.end()
})
