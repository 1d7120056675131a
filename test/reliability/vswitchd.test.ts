// ovs-vswitchd dies and returns, and the connection to OVSDB alone: without anybody's help everything is as before; while it is
// away the daemon uses next to no CPU time, says once what is lost, and once that it is back.
import t from 'tap'
import { announced } from '../system/util/announced.js'
import { eventually, eventuallyHas } from '../system/util/eventually.js'
import { Patient, VNI, VTEP } from './util/patient.js'

const patient = await Patient.up()
const { lab, c1, speaker } = patient

await t.test('ovs-vswitchd, killed, its flows gone: all is installed again; one line each way', async (t) => {
  const log = patient.watchLog()
  await lab.stopService('c1', 'ovs-vswitchd', 'SIGKILL')
  await eventually('the loss in the log', () => log(/\|openflow\|/), (lines) => lines.length > 0)
  await patient.away(t)
  t.strictSame(await announced(c1), patient.before.rows, 'what we announce stays announced')
  await lab.startService('c1', 'ovs-vswitchd')
  await patient.asBefore('ovs-vswitchd killed')
  t.match(log(/\|openflow\|/), [/\|WARN\|connection to .*br-int\.mgmt lost: .*; trying again/, /\|INFO\|connected to .*br-int\.mgmt/])
  t.equal(log(/\|openflow\|/).length, 2)
})

await t.test('ovs-vswitchd, ended in order: the same', async (t) => {
  const log = patient.watchLog()
  await lab.stopService('c1', 'ovs-vswitchd')
  await eventually('the loss in the log', () => log(/\|openflow\|/), (lines) => lines.length > 0)
  await lab.startService('c1', 'ovs-vswitchd')
  await patient.asBefore('ovs-vswitchd ended')
  t.equal(log(/\|openflow\|WARN\|connection/).length, 1)
})

// ovs-vswitchd 3.1 answers no OpenFlow without its database. So here only the daemon's own connection is cut.
await t.test('the connection to OVSDB alone is lost: what the kernel tells is programmed all the same', async (t) => {
  const remote = 'ptcp:16641:127.0.0.1'
  const server = (...command: readonly string[]) => c1.run(['ovs-appctl', '-t', 'ovsdb-server', ...command])
  await server('ovsdb-server/add-remote', remote)
  await patient.daemon.stop()
  const other = patient.daemon = await lab.startDaemon('c1', ['tcp:127.0.0.1:16641'])
  await eventually('the second daemon to be connected', other.log, (log) => /connected to tcp:127\.0\.0\.1:16641[^]*connected to .*br-int\.mgmt/.test(log))
  await server('ovsdb-server/remove-remote', remote)
  await eventually('the loss in the log', other.log, (log) => log.includes('keeping the last configuration'))
  await speaker.mac(VNI, '02:bb:00:00:00:01', VTEP)
  await eventuallyHas('the MAC on the switch', () => c1.ourFlows('table=202'), '02:bb:00:00:00:01')
  await speaker.noMac(VNI, '02:bb:00:00:00:01')
  await patient.asBefore('the MAC withdrawn')
  await patient.away(t)
  await server('ovsdb-server/add-remote', remote)
  await eventually('the connection in the log', other.log, (log) => log.split('|connected to tcp:').length === 3, 15_000)
  await other.stop()
  patient.daemon = await lab.startDaemon('c1')
  await patient.asBefore('another daemon')
})
