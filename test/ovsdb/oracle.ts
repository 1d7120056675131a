// What `ovsdb-client dump` says a database holds, against what a replica holds, in one form that knows nothing of our decoder.
import type { Row } from '../../lib/ovsdb/index.js'
import type { Server } from './server.js'

/** What the project monitors: the tables and columns of these tests too. */
export const TABLES = {
  Open_vSwitch: ['external_ids', 'bridges', 'ovs_version', 'cur_cfg'],
  Bridge: ['name', 'ports', 'external_ids', 'fail_mode', 'datapath_type', 'controller'],
  Port: ['name', 'interfaces', 'external_ids', 'tag', 'trunks'],
  Interface: ['name', 'type', 'options', 'external_ids', 'ofport', 'error', 'mac_in_use', 'admin_state']
} as const

/** Table to uuid to column to comparable text. */
export type Contents = Record<string, Record<string, Record<string, string>>>

/** A wire value as text: uuids bare, sets and maps sorted, a set of one like its atom. */
function canonical(json: unknown): string {
  if (!Array.isArray(json)) return JSON.stringify(json)
  const [kind, body] = json as unknown as readonly [string, readonly unknown[]]
  if (kind === 'uuid') return JSON.stringify(body)
  const items = body.map((item) => kind === 'map' ? (item as unknown[]).map(canonical).join('=') : canonical(item)).sort()
  return kind === 'set' && items.length === 1 ? items[0] ?? '' : `${kind}(${items.join(' ')})`
}

/** One line of `ovsdb-client dump -f json`: `{"caption": "Port table", "headings": [...], "data": [[...], ...]}`. */
export function contentsOfDump(line: string): Contents {
  const { caption, headings, data } = JSON.parse(line) as { caption: string, headings: string[], data: unknown[][] }
  const table = caption.replace(/ table$/, '')
  const uuidAt = headings.indexOf('_uuid')
  const rows = data.map((cells) => {
    const columns = headings.flatMap((heading, index) => index === uuidAt ? [] : [[heading, canonical(cells[index])] as const])
    return [JSON.parse(canonical(cells[uuidAt])) as string, Object.fromEntries(columns)] as const
  })
  return { [table]: Object.fromEntries(rows) }
}

/** The lines `ovsdb-client dump` prints for these tables and columns. */
export async function dump(server: Server, tables: Readonly<Record<string, readonly string[]>> = TABLES): Promise<readonly string[]> {
  const lines = Object.entries(tables).map(([table, columns]) =>
    server.tool('ovsdb-client', 'dump', '-f', 'json', server.remote, 'Open_vSwitch', table, '_uuid', ...columns))
  return (await Promise.all(lines)).map((line) => line.trim())
}

/** What the database holds. */
export async function contentsOf(server: Server, tables?: Readonly<Record<string, readonly string[]>>): Promise<Contents> {
  return Object.assign({}, ...(await dump(server, tables)).map(contentsOfDump)) as Contents
}

function wireForm(value: Row[string]): unknown {
  if (value instanceof Map) return ['map', [...value]]
  return Array.isArray(value) ? ['set', value] : value
}

/** What a replica holds. */
export function contentsOfReplica(replica: { table(name: string): ReadonlyMap<string, Row> }): Contents {
  return Object.fromEntries(Object.keys(TABLES).map((table) => [table, Object.fromEntries([...replica.table(table)].map(([uuid, row]) =>
    [uuid, Object.fromEntries(Object.entries(row).map(([column, value]) => [column, canonical(wireForm(value))]))]))]))
}
