// The database of a real chassis, as ovs-vsctl prints it, in the form of the fake one.
import type { Chassis } from '../../system/util/chassis.js'
import { FakeDatabase } from '../ovsdb/database.js'

type Json = unknown
type Printed = Readonly<Record<string, Json>>

export async function databaseOf(chassis: Chassis): Promise<FakeDatabase> {
  const list = async (table: string): Promise<Printed[]> => rowsOf(await chassis.vsctl('--format=json', 'list', table))
  const [systems, bridges, ports, interfaces] = [await list('Open_vSwitch'), await list('Bridge'), await list('Port'), await list('Interface')]
  const database = new FakeDatabase()
  for (const [key, value] of mapOf(systems[0]?.['external_ids'])) database.setKey('Open_vSwitch', database.root, key, value)
  for (const bridge of bridges) {
    const name = String(bridge['name'])
    database.addBridge(name)
    for (const [key, value] of mapOf(bridge['external_ids'])) database.setKey('Bridge', database.find('Bridge', name) ?? '', key, value)
    for (const uuid of setOf(bridge['ports'])) {
      const port = ports.find((one) => uuidOf(one['_uuid']) === uuidOf(uuid))
      const row = interfaces.find((one) => setOf(port?.['interfaces']).some((each) => uuidOf(each) === uuidOf(one['_uuid'])))
      if (port !== undefined && row !== undefined) database.addPort(name, String(port['name']), columnsOf(row), { external_ids: mapOf(port['external_ids']) })
    }
  }
  return database
}

function columnsOf(row: Printed): Parameters<FakeDatabase['addPort']>[2] {
  return {
    type: String(row['type']), options: mapOf(row['options']), external_ids: mapOf(row['external_ids']),
    ofport: setOf(row['ofport']).map(Number), error: setOf(row['error']).map(String)
  }
}

/** `{"headings": [...], "data": [[...]]}`. */
function rowsOf(text: string): Printed[] {
  const { headings, data } = JSON.parse(text) as { readonly headings: readonly string[], readonly data: readonly (readonly Json[])[] }
  return data.map((cells) => Object.fromEntries(headings.map((heading, i) => [heading, cells[i]])))
}

/** RFC 7047, section 5.1: a set of one is its element. */
function setOf(value: Json): readonly Json[] {
  return Array.isArray(value) && value[0] === 'set' ? value[1] as readonly Json[] : [value]
}

function mapOf(value: Json): ReadonlyMap<string, string> {
  return new Map(Array.isArray(value) && value[0] === 'map' ? value[1] as readonly (readonly [string, string])[] : [])
}

function uuidOf(value: Json): string {
  return String(Array.isArray(value) ? value[1] : value)
}
