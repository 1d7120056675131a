// ovsdb-server dies and returns: as it was, compacted, with a newer schema, empty. The last configuration holds meanwhile; afterwards
// everything is as before.
import { readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { announced } from '../system/util/announced.js'
import { coverage } from '../system/util/daemon-numbers.js'
import { eventually } from '../system/util/eventually.js'
import { Patient } from './util/patient.js'

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'

const patient = await Patient.up()
const { lab, c1, dir } = patient
const database = `${dir}/conf.db`

type Log = ReturnType<Patient['watchLog']>

/** One line says that the database is lost, one that it is back. */
async function oneLineEachWay(t: Test, log: Log): Promise<void> {
  await eventually('the connection in the log', () => log(/\|ovsdb\|INFO\|connected/), (lines) => lines.length > 0, 15_000)
  t.match(log(/\|ovsdb\|/), [/\|WARN\|unix:.*: .*; keeping the last configuration, trying again/, /\|INFO\|connected to unix:/])
  t.equal(log(/\|ovsdb\|/).length, 2, 'one line each way')
}

await t.test('ovsdb-server, killed: the last configuration holds, what the kernel tells is taken in; one line each way', async (t) => {
  const log = patient.watchLog()
  const sent = await coverage(patient.daemon)
  await lab.stopService('c1', 'ovsdb-server', 'SIGKILL')
  await eventually('the loss in the log', () => log(/\|ovsdb\|/), (lines) => lines.length > 0)
  await patient.away(t)
  t.strictSame(await announced(c1), patient.before.rows, 'what we announce stays announced')
  await lab.startService('c1', 'ovsdb-server')
  await oneLineEachWay(t, log)
  await patient.asBefore('ovsdb-server killed')
  const now = await coverage(patient.daemon)
  t.same([now['flow_mods'], now['group_mods'], now['kernel_writes']], [sent['flow_mods'], sent['group_mods'], sent['kernel_writes']], 'nothing was sent')
})

await t.test('the database is compacted, live and before a restart: nobody notices', async (t) => {
  const sent = await coverage(patient.daemon)
  const log = patient.watchLog()
  await c1.run(['ovs-appctl', '-t', 'ovsdb-server', 'ovsdb-server/compact'])
  await patient.away(t, 1)
  t.strictSame(log(/\|ovsdb\|/), [], 'nothing is said of a database that is compacted while it runs')
  await lab.stopService('c1', 'ovsdb-server', 'SIGKILL')
  await c1.run(['ovsdb-tool', 'compact', database])
  await patient.away(t, 2)
  await lab.startService('c1', 'ovsdb-server')
  await oneLineEachWay(t, log)
  await patient.connected()
  await c1.set('Interface vm2', { 'evpn-addresses': '02:00:00:00:00:03' })
  await eventually('a change to arrive', () => announced(c1), (rows) => rows.some((row) => row.startsWith('02:00:00:00:00:03')))
  await c1.set('Interface vm2', { 'evpn-addresses': '02:00:00:00:00:02 10.0.0.2 fd00::2' })
  await patient.asBefore('the change undone')
  const now = await coverage(patient.daemon)
  t.ok((now['flow_mods'] ?? 0) - (sent['flow_mods'] ?? 0) < 20, 'only what changed was sent')
})

await t.test('the database comes back with a newer schema, live and after a restart: what is there is read, nothing is lost', async (t) => {
  const schema = JSON.parse(readFileSync(SCHEMA, 'utf8')) as { version: string, cksum?: string, tables: Record<string, { columns: Record<string, unknown> }> }
  for (const [i, how] of (['live', 'restarted'] as const).entries()) {
    schema.version = `9.${i}.0`
    delete schema.cksum
    for (const table of Object.values(schema.tables)) table.columns[`from_the_future_${i}`] = { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } }
    const [file, log] = [`${dir}/newer-${i}.ovsschema`, patient.watchLog()]
    writeFileSync(file, JSON.stringify(schema))
    if (how === 'live') {
      await c1.run(['ovsdb-client', 'convert', `unix:${dir}/db.sock`, file])
    } else {
      await lab.stopService('c1', 'ovsdb-server')
      await c1.run(['ovsdb-tool', 'convert', database, file])
      await patient.away(t, 2)
      await lab.startService('c1', 'ovsdb-server')
    }
    await oneLineEachWay(t, log)
    await patient.connected()
    await c1.set('Interface vm2', { 'evpn-addresses': '02:00:00:00:00:04' })
    await eventually(`a change to arrive (${how})`, () => announced(c1), (rows) => rows.some((row) => row.startsWith('02:00:00:00:00:04')), 15_000)
    await c1.set('Interface vm2', { 'evpn-addresses': '02:00:00:00:00:02 10.0.0.2 fd00::2' })
    await patient.asBefore(`a newer schema, ${how}`)
  }
})
