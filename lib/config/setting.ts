// A setting as typed for `ovs-evpnctl plan`: KEY=VALUE for the chassis or the integration bridge, PORT:KEY=VALUE for a workload's port;
// an empty value takes the key away. What a value may be, the parsers of the records say.
import type { Row } from '../ovsdb/index.js'
import { ADDRESSES, isBridgeKey, SPEAKER } from './bridge.js'
import { text, textMap } from './columns.js'
import { nearestKey } from './nearest.js'
import { VNI_OPTIONS } from './option.js'
import { PORT_KEYS } from './port.js'
import { command } from './shell.js'
import { SYSTEM_KEYS } from './system.js'

export interface Setting {
  readonly table: 'Open_vSwitch' | 'Bridge' | 'Interface'
  /** As ovs-vsctl names it; `.` for the one of Open_vSwitch. */
  readonly record: string
  readonly key: string
  /** undefined = the key goes. */
  readonly value: string | undefined
}

/** The tables of OVSDB by name: rows by uuid. */
type Tables = (name: string) => ReadonlyMap<string, Row>

const CHASSIS_KEYS = [...SYSTEM_KEYS, ...VNI_OPTIONS.map(({ key }) => key), `${ADDRESSES}-<vni>`, SPEAKER]

/** Reads one setting; a sentence for what cannot be meant. `systemId`: keys of the chassis may carry it as a suffix. */
export function parseSetting(word: string, bridge: string, systemId: string | undefined): Setting | string {
  const at = word.indexOf('=')
  if (at < 1) return `"${word}" is no setting; write KEY=VALUE, or PORT:KEY=VALUE for a port`
  const [left, value] = [word.slice(0, at), word.slice(at + 1)]
  const colon = left.lastIndexOf(':')
  const key = left.slice(colon + 1)
  const given = { key, value: value === '' ? undefined : value }
  if (colon > 0) {
    const isKnown = [...PORT_KEYS, 'attached-mac'].some((known) => known === key) || /^evpn-addresses-\d+$/.test(key)
    return isKnown ? { table: 'Interface', record: left.slice(0, colon), ...given } : `a port has no key "${key}", did you mean "${nearestKey(key, PORT_KEYS)}"?`
  }
  if (SYSTEM_KEYS.some((known) => key === known || key === `${known}-${systemId}`)) return { table: 'Open_vSwitch', record: '.', ...given }
  if (isBridgeKey(key)) return { table: 'Bridge', record: bridge, ...given }
  if (PORT_KEYS.some((known) => known === key)) return `"${key}" is a key of ports; write PORT:${word}`
  return `there is no key "${key}", did you mean "${nearestKey(key, CHASSIS_KEYS)}"?`
}

/** The tables as they would be with these settings; a sentence for a record that is not there. The tables themselves stay. */
export function withSettings(table: Tables, settings: readonly Setting[]): Tables | string {
  const changed = new Map<string, Map<string, Row>>()
  for (const setting of settings) {
    const rows = changed.get(setting.table) ?? new Map(table(setting.table))
    const found = [...rows].find(([, row]) => setting.record === '.' || text(row['name']) === setting.record)
    if (found === undefined) return whyMissing(setting, [...rows.values()].map((row) => text(row['name'])))
    const [uuid, row] = found
    const ids = new Map(textMap(row['external_ids']))
    if (setting.value === undefined) ids.delete(setting.key)
    else ids.set(setting.key, setting.value)
    rows.set(uuid, { ...row, external_ids: ids })
    changed.set(setting.table, rows)
  }
  return (name) => changed.get(name) ?? table(name)
}

function whyMissing({ table, record }: Setting, names: readonly string[]): string {
  const noun = table === 'Interface' ? 'port' : table
  return names.length === 0 || record === '.' ? `there is no ${noun}` : `there is no ${noun} "${record}", did you mean "${nearestKey(record, names)}"?`
}

/** The command that would make a setting. */
export function settingCommand({ table, record, key, value }: Setting): string {
  return value === undefined ? command`ovs-vsctl remove ${table} ${record} external_ids ${keyText(key)}`
    : command`ovs-vsctl set ${table} ${record} external_ids:${keyText(key)}=${/^[\w./:,-]+$/.test(value) ? value : JSON.stringify(value)}`
}

/** A key ends for ovs-vsctl at what it uses itself; the name of a chassis, of which one may be part, may be anything. */
function keyText(key: string): string {
  return /^[\w.-]+$/.test(key) ? key : JSON.stringify(key)
}
