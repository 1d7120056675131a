// Captures the conversations in fixtures/ovsdb from the real ovsdb-server: node --enable-source-maps dist/test/ovsdb/capture.js
// Nothing is invented, except that the two for older servers have `unknown method` answered in the server's place; the schema is
// cut down to the tables and columns that are monitored, so that a person can read it.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { formatMessage } from './conversation.js'
import { catchUp, follow, untilUp } from './follower.js'
import { dump, TABLES } from './oracle.js'
import { startProxy, type Message } from './proxy.js'
import { startServer, until, type Server } from './server.js'

const CAPTURED = { Open_vSwitch: TABLES.Open_vSwitch, Bridge: TABLES.Bridge, Port: TABLES.Port, Interface: TABLES.Interface }

/** Sets, maps and optional columns that grow, shrink and change. */
const CHANGES: readonly (readonly string[])[] = [
  ['add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', 'datapath_type=netdev', 'fail_mode=secure'],
  ['add-port', 'br-int', 'vm1', '--', 'set', 'Interface', 'vm1', 'type=internal', 'external_ids:evpn="größe 日本 😀"'],
  ['set', 'Interface', 'vm1', 'options:a=1', 'options:b=2', '--', 'set', 'Port', 'vm1', 'tag=10', 'trunks=1,2,3'],
  ['set', 'Interface', 'vm1', 'options:a=9', '--', 'remove', 'Interface', 'vm1', 'options', 'b',
    '--', 'set', 'Port', 'vm1', 'tag=11', 'trunks=2,3,4'],
  ['clear', 'Port', 'vm1', 'tag', '--', 'clear', 'Port', 'vm1', 'trunks', '--', 'clear', 'Bridge', 'br-int', 'fail_mode'],
  ['add-port', 'br-int', 'vm2', '--', 'set', 'Open_vSwitch', '.', 'external_ids:system-id="{\\"quoted\\"}"'],
  ['del-port', 'vm1']
]

interface Scenario {
  readonly file: string
  readonly about: string
  readonly clustered?: boolean
  readonly unknown?: readonly string[]
  /** Index in CHANGES before which the connection is cut, and after the change resumed. */
  readonly cutAt?: number
}

const SCENARIOS: readonly Scenario[] = [
  { file: 'standalone',
    about: "monitor-cond-since unix:db.sock Open_vSwitch '[true]' TABLE; a standalone database keeps no history: found is false",
    cutAt: 4 },
  { file: 'clustered',
    about: "monitor-cond-since unix:db.sock Open_vSwitch LAST-ID '[true]' TABLE; a cluster of one: found is true after the reconnect",
    clustered: true, cutAt: 6 },
  { file: 'monitor-cond', about: "monitor-cond unix:db.sock Open_vSwitch '[true]' TABLE; a server older than 2.12",
    unknown: ['monitor_cond_since'] },
  { file: 'monitor', about: "monitor unix:db.sock Open_vSwitch TABLE; a server older than 2.6, or any other of RFC 7047",
    unknown: ['monitor_cond_since', 'monitor_cond'] }
]

/** The reply to get_schema with nothing in it but what is monitored. */
function readable(message: Message): Message {
  const schema = message.json['result'] as { tables?: Record<string, { columns: Record<string, unknown> }> } | undefined
  if (!schema?.tables) return message
  const { tables } = schema
  const kept = Object.entries(CAPTURED).map(([table, columns]) =>
    [table, { columns: Object.fromEntries(columns.map((column) => [column, tables[table]?.columns[column]])) }])
  return { from: message.from, json: { ...message.json, result: { ...schema, tables: Object.fromEntries(kept) as unknown } } }
}

async function capture(t: Test, server: Server, { file, about, unknown, cutAt }: Scenario): Promise<void> {
  const version = execFileSync('ovsdb-server', ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? ''
  const lines = [
    `# ${version}, captured by test/ovsdb/capture.ts. Shows the same, one TABLE COLUMN,COLUMN... at a time:`,
    `# ovsdb-client -f json ${about}`
  ]
  const proxy = await startProxy(t, server.socket, unknown)
  const follower = follow(t, proxy.remote)
  const take = (): void => { lines.push(...proxy.messages.splice(0).map((message) => formatMessage(readable(message)))) }
  await untilUp(follower)
  take()
  for (const [index, command] of CHANGES.entries()) {
    if (index === cutAt) {
      proxy.cut()
      await until('the client to notice', () => !follower.client.connected)
      proxy.messages.splice(0)
      lines.push('---')
    }
    lines.push(`# ovs-vsctl --no-wait ${command.map((word) => /[^\w.:=,-]/.test(word) ? `'${word}'` : word).join(' ')}`)
    await server.vsctl(...command)
    if (index === cutAt) proxy.resume()
    await untilUp(follower)
    await catchUp(follower)
    take()
  }
  lines.push(...(await dump(server, CAPTURED)).map((line) => `= ${line}`))
  follower.client.close()
  writeFileSync(`fixtures/ovsdb/${file}.txt`, lines.join('\n') + '\n')
}

for (const scenario of SCENARIOS) {
  await t.test(scenario.file, async (t) => {
    const server = await startServer(t, { clustered: scenario.clustered ?? false })
    await server.fill()
    await capture(t, server, scenario)
  })
}
