// docs/configuration.md against the code: its tables are generated from the parsers' tables, and every command in it is one that
// the daemon understands.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseBridge } from '../../lib/config/bridge.js'
import { VNI_OPTIONS } from '../../lib/config/option.js'
import { parsePort, PORT_KEYS } from '../../lib/config/port.js'
import { withKeys, withTables } from '../../lib/config/reference.js'
import { parseSystem, SYSTEM_KEYS } from '../../lib/config/system.js'
import { ids, sentences } from './warnings.js'

const DOC = readFileSync('docs/configuration.md', 'utf8')

/** The rows of the table under a heading, as cells. */
function table(heading: string): string[][] {
  const section = DOC.split(/\n##+ /).find((text) => text.startsWith(heading)) ?? ''
  return section.split('\n').filter((line) => line.startsWith('| ')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim())).slice(1)
}

await t.test('tables and completion are what `npm run docs` writes from the parsers\' tables', (t) => {
  t.equal(DOC, withTables(DOC), 'docs/configuration.md: run npm run docs')
  const completion = readFileSync('packaging/bash-completion/ovs-evpnctl', 'utf8')
  t.equal(completion, withKeys(completion), 'packaging/bash-completion/ovs-evpnctl: run npm run docs')
  t.equal(table('The chassis').length, SYSTEM_KEYS.length)
  t.equal(table('A VNI').length, VNI_OPTIONS.length + 2)
  t.equal(table('A workload').length, PORT_KEYS.length + 1)
  t.end()
})

await t.test('what the generator writes depends on nothing that was there', (t) => {
  const without = DOC.replace(/^\| `(?:ovn|dynamic-routing|fdb|evpn|attached)[-_].*\n/gm, '')
  t.not(without, DOC)
  t.equal(withTables(without), DOC)
  t.end()
})

await t.test('defaults outside the table of options are those of the parsers', (t) => {
  const [, , , advertise] = table('A workload')
  const port = parsePort('vm1', ids({ 'dynamic-routing-vni': '1' })).config?.bindings[0]
  t.equal(advertise?.[2], `\`${port?.advertise}\``)
  t.strictSame(port?.addresses.bound, [], 'no addresses by default')
  t.end()
})

await t.test('no cell is empty', (t) => {
  for (const row of ['The chassis', 'A VNI', 'A workload'].flatMap(table)) t.ok(row.every((cell) => cell !== ''), row[0] ?? '')
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
