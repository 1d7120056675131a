// docs/configuration.md against the code: its tables are generated from the parsers' tables, and every command in it is one that
// the daemon understands.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseBridge } from '../../lib/config/bridge.js'
import { VNI_OPTIONS, type VniOptions } from '../../lib/config/option.js'
import { parsePort, PORT_KEYS } from '../../lib/config/port.js'
import { withKeys, withTables } from '../../lib/config/reference.js'
import { parseSystem, SYSTEM_KEYS } from '../../lib/config/system.js'
import { MAX_OF_MAC, MAX_SNOOPED } from '../../lib/mirror/snooped.js'
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
  t.equal(table('A workload').length, PORT_KEYS.length + 2)
  t.end()
})

await t.test('what the generator writes depends on nothing that was there', (t) => {
  const without = DOC.replace(/^\| `(?:ovn|dynamic-routing|fdb|evpn|attached)[-_].*\n/gm, '')
  t.not(without, DOC)
  t.equal(withTables(without), DOC)
  t.end()
})

await t.test('defaults outside the table of options are those of the parsers', (t) => {
  const advertise = table('A workload').at(-1)
  const port = parsePort('vm1', ids({ 'dynamic-routing-vni': '1' })).config?.bindings[0]
  t.equal(advertise?.[3], `\`${port?.advertise}\``)
  t.strictSame(port?.addresses.bound, [], 'no addresses by default')
  t.end()
})

/** What the parser makes of a value for the bridge. */
function readOption(key: string, value: string): { readonly value: unknown, readonly told: readonly string[] } {
  const { config, warnings } = parseBridge('br-int', ids({ [key]: value }))
  const [field] = VNI_OPTIONS.filter((option) => option.key === key).map((option): keyof VniOptions => option.field)
  return { value: field === undefined ? undefined : config.all[field], told: sentences(warnings) }
}

await t.test('the values that the page gives for an option are those that the parser takes, and no others', (t) => {
  const names = VNI_OPTIONS.map(({ key }) => key)
  const rows = table('A VNI').filter(([key = '']) => names.includes(key.slice(1, -1)))
  t.equal(rows.length, VNI_OPTIONS.length)
  for (const [cell = '', values = ''] of rows) {
    const key = cell.slice(1, -1)
    const words = [...values.matchAll(/`(\w+)`/g)].map(([, word = '']) => word)
    const [, min, max] = /(\d+)\.\.(\d+)/.exec(values) ?? []
    const [, length] = /at most (\d+) characters/.exec(values) ?? []
    const good = [...words, ...(min === undefined || max === undefined ? [] : [min, max]), ...(length === undefined ? [] : ['x'.repeat(Number(length))])]
    const bad = [...words.map((word) => `${word}x`), ...(min === undefined || max === undefined ? [] : [String(Number(min) - 1), String(Number(max) + 1)]), ...(length === undefined ? [] : ['x'.repeat(Number(length) + 1)])]
    t.ok(good.length > 0 && bad.length > 0, `${key}: "${values}" can be tried`)
    for (const value of good) t.same(readOption(key, value).told, [], `${key}=${value}`)
    for (const value of bad) t.equal(readOption(key, value).told.length, 1, `${key}=${value}`)
    // A word that the parser takes and the page has not would be in the sentence on a bad one.
    const [why = ''] = readOption(key, 'no-such-value-at-all').told
    for (const [, told = ''] of words.length === 0 ? [] : why.matchAll(/(?:must be |or |of |, )(\w+)(?=,| or|$)/g)) t.ok(told === 'a' || words.includes(told), `${key}: ${told} of "${why}"`)
  }
  t.end()
})

await t.test('what the page says becomes of a bad value is what the parser makes of it', (t) => {
  const seen = new Set<string>()
  for (const { key } of VNI_OPTIONS) {
    const cells = table('A VNI').find(([cell]) => cell === `\`${key}\``) ?? []
    const [whenBad = '', fallback = ''] = [cells.at(-1), cells[3]]
    seen.add(whenBad)
    const good = /^`/.test(fallback) ? fallback.slice(1, -1).replace('<vni>', '10') : '4789'
    const only = readOption(key, '/bad/')
    t.same([only.value, only.told.length], [undefined, 1], `${key}: with nothing that is good, the default`)
    const mixed = readOption(key, `${good},/bad/`)
    t.equal(mixed.told.length, 1, key)
    if (whenBad === 'the default') t.equal(mixed.value, undefined, `${key}: ${whenBad}`)
    else t.same([mixed.value].flat().join(), good, `${key}: ${whenBad}`)
    const several = readOption(key, 'one,two')
    if (whenBad === 'the default; of several, the first') t.same([several.value, several.told.length], ['one', 1], `${key}: ${whenBad}`)
  }
  t.equal(seen.size, 3, [...seen].join(' | '))
  t.end()
})

const VNI_1 = { 'dynamic-routing-vni': '1' }
const portOf = (more: Readonly<Record<string, string>>) => parsePort('vm1', ids({ ...VNI_1, ...more }))

/** Of the keys outside the table of options: the cells on values and on bad ones, and whether they are true. */
const OTHERS: Readonly<Record<string, readonly [values: RegExp, whenBad: string, isSo: (...range: readonly number[]) => unknown, expected: unknown]>> = {
  'ovn-evpn-local-ip': [/^a comma list of `IP` and `VNI-IP`, VNI (0)\.\.(\d+)$/, 'the item is skipped', (min = 0, max = 0) => {
    const { config, warnings } = parseSystem(ids({ 'ovn-evpn-local-ip': `${min}-192.0.2.1,${max}-192.0.2.2,${max + 1}-192.0.2.3,192.0.2.4` }))
    return [[...config.localIpsOfVni.keys()], config.localIps, warnings.length]
  }, [[0, 16777215], { 4: '192.0.2.4' }, 1]],
  'ovn-evpn-vxlan-ports': [/^a comma list of UDP ports (\d+)\.\.(\d+)$/, 'the item is skipped; with none left, the default', (min = 0, max = 0) => {
    const read = (text: string) => parseSystem(ids({ 'ovn-evpn-vxlan-ports': text })).config.vxlanPorts
    return [read(`${min},${max},${min - 1},${max + 1}`), read(String(max + 1))]
  }, [[1, 65535], [4789]]],
  'ovn-bridge': [/^a name$/, 'as soon as a bridge of that name exists, it is used', () => parseSystem(ids({ 'ovn-bridge': 'br x' })), { config: { bridge: 'br x' }, warnings: [] }],
  'evpn-addresses': [/^a comma list of `MAC` and `MAC IP...`, and `unknown`$/, 'the item is skipped', () => {
    const { config, warnings } = portOf({ 'evpn-addresses': '02:00:00:00:00:01,x,02:00:00:00:00:02 10.0.0.1 2001:db8::1,unknown' })
    return [config?.bindings[0]?.addresses, warnings.length]
  }, [{ bound: [{ mac: '02:00:00:00:00:01' }, { mac: '02:00:00:00:00:02', ips: ['10.0.0.1', '2001:db8::1'] }], unknown: true }, 1]],
  'evpn-addresses-<vlan>': [/^like `evpn-addresses`$/, 'the item is skipped', () => {
    const { config, warnings } = portOf({ 'dynamic-routing-vni': '5:1,6:2', 'evpn-addresses': 'unknown', 'evpn-addresses-5': '02:00:00:00:00:01,x' })
    return [config?.bindings.map(({ addresses: { bound, unknown } }) => [bound.length, unknown]), warnings.length]
  }, [[[1, false], [0, true]], 1]],
  'attached-mac': [/^like `evpn-addresses`$/, 'the item is skipped', () => [
    portOf({ 'attached-mac': '02:00:00:00:00:01,x' }).config?.bindings[0]?.addresses.bound.length, portOf({ 'attached-mac': '02:00:00:00:00:01', 'evpn-addresses': '' }).config?.bindings[0]?.addresses.bound.length
  ], [1, 0]],
  'dynamic-routing-advertise': [/^`true`, `false`$/, 'the default', () => ['true', 'false', 'x'].map((value) => portOf({ 'dynamic-routing-advertise': value }).config?.bindings[0]?.advertise), [true, false, true]],
  'dynamic-routing-vni': [/^a VNI (\d+)\.\.(\d+); or a comma list of `VLAN:VNI`, VLAN (\d+)\.\.(\d+)$/, 'the port is left alone; of a list, the item is skipped', (min = 0, max = 0, minVlan = 0, maxVlan = 0) => {
    const read = (text: string) => portOf({ 'dynamic-routing-vni': text }).config?.bindings.map(({ vni, vlan }) => `${vlan} ${vni}`) ?? 'left alone'
    return [read(String(min)), read(String(max)), read(String(max + 1)), read(`${minVlan}:1,${maxVlan}:2,${maxVlan + 1}:3`)]
  }, [['undefined 0'], ['undefined 16777215'], 'left alone', ['0 1', '4094 2']]]
}

await t.test('the same for the keys of the chassis and of a port', (t) => {
  const rows = [...table('The chassis'), ...table('A workload')]
  t.same(rows.map(([key = '']) => key.slice(1, -1)).sort(), Object.keys(OTHERS).sort())
  for (const [cell = '', values = '', ...more] of rows) {
    const [pattern, whenBad, isSo, expected] = OTHERS[cell.slice(1, -1)] ?? [/^never$/, '', () => undefined, '']
    const found = pattern.exec(values)
    t.ok(found, `${cell}: ${values}`)
    t.equal(more.at(-1), whenBad, cell)
    t.match(isSo(...(found ?? []).slice(1).map(Number)), expected, cell)
  }
  t.same([...DOC.matchAll(/at most (\d+) of one MAC, ([\d,]+) in all/g)].map(([, ofMac, all = '']) => [Number(ofMac), Number(all.replace(',', ''))]), [[MAX_OF_MAC, MAX_SNOOPED]])
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
