// A database that comes back empty is no configuration that says "nothing", but none at all: the last one holds, and a daemon that
// starts with it touches nothing.
import { copyFileSync } from 'node:fs'
import t from 'tap'
import { announced } from '../system/util/announced.js'
import { coverage } from '../system/util/daemon-numbers.js'
import { eventually, eventuallyHas } from '../system/util/eventually.js'
import { Patient, VNI, VTEP } from './util/patient.js'

const patient = await Patient.up()
const { lab, c1, speaker, dir } = patient
const database = `${dir}/conf.db`

await t.test('the database comes back empty: that is no configuration, the last one holds; with its contents, all is as before', async (t) => {
  const saved = `${dir}/saved.db`
  // ovs-vswitchd takes an empty database at its word and removes its bridges: so it is not there.
  await lab.stopService('c1', 'ovs-vswitchd')
  await lab.stopService('c1', 'ovsdb-server')
  copyFileSync(database, saved)
  await c1.run(['rm', database])
  await lab.startService('c1', 'ovsdb-server')
  await eventuallyHas('the problem', () => c1.problems(), 'the database is empty', 'keeping the last configuration')
  t.strictSame(await announced(c1), patient.before.rows, 'what we announce stays announced')
  await speaker.mac(VNI, '02:bb:00:00:00:02', VTEP)
  await eventually('a MAC to be learned meanwhile', () => c1.report<readonly { readonly mac: string }[]>('macs'), (macs) => macs.some(({ mac }) => mac === '02:bb:00:00:00:02'))
  await speaker.noMac(VNI, '02:bb:00:00:00:02')
  await patient.away(t)
  await lab.stopService('c1', 'ovsdb-server')
  copyFileSync(saved, database)
  await lab.startService('c1', 'ovsdb-server')
  await lab.startService('c1', 'ovs-vswitchd')
  await patient.asBefore('the database restored')
  t.equal(patient.daemon.log().split('|WARN|the database is empty').length - 1, 1, 'said once')
  t.equal(patient.daemon.log().split('|no longer: the database is empty').length - 1, 1, 'and once that it is over')
})

await t.test('a daemon that starts with an empty database touches nothing', async (t) => {
  await patient.daemon.stop('SIGKILL')
  await lab.stopService('c1', 'ovsdb-server')
  const saved = `${dir}/saved.db`
  copyFileSync(database, saved)
  await c1.run(['rm', database])
  await lab.stopService('c1', 'ovs-vswitchd', 'SIGKILL')
  await lab.startService('c1', 'ovsdb-server')
  patient.daemon = await lab.startDaemon('c1')
  await eventuallyHas('the problem', () => c1.problems(), 'the database is empty')
  await eventually('the kernel to be read', () => c1.report<{ readonly netlink: string }>('show'), ({ netlink }) => netlink === 'synced')
  await patient.away(t, 1)
  t.strictSame(await announced(c1), patient.before.rows, 'the rows of the daemon before stay')
  t.equal((await coverage(patient.daemon))['kernel_writes'] ?? 0, 0, 'nothing was written')
  await lab.stopService('c1', 'ovsdb-server')
  copyFileSync(saved, database)
  await lab.startService('c1', 'ovsdb-server')
  await lab.startService('c1', 'ovs-vswitchd')
  await patient.asBefore('the database restored')
})
