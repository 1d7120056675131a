// `ovs-evpnctl doctor` on a real chassis, its checks of the integration bridge: each finding is provoked, the commands that it prints
// are typed as they stand, and it is gone.
import t from 'tap'
import { PATIENCE } from '../lab/wait.js'
import { BY_HAND, VNI, Patient, type Case } from './util/doctor.js'

// Each question is a process.
t.setTimeout(280_000 * PATIENCE)

const patient = await Patient.admit()
const { c1 } = patient
const daemon = await patient.lab.startDaemon('c1')

const CASES: readonly Case[] = [
  { id: 'session-down', says: /does not follow the configuration: not connected to unix:/, breakIt: () => patient.lab.stopService('c1', 'ovsdb-server') },
  { id: 'session-down', says: /cannot program the switch: not connected: /, breakIt: () => patient.lab.stopService('c1', 'ovs-vswitchd') },
  {
    id: 'stand-off', says: /bridge br-int belongs to ovn-controller \(external_ids:ct-zone-a_dnat\); nothing is changed on it, and no ovn-controller runs here/,
    breakIt: async () => {
      await c1.vsctl('add-port', 'br-int', 'ovn-c2-0', '--', 'set', 'Port', 'ovn-c2-0', 'external_ids:ovn-chassis-id=c2', '--', 'set', 'Interface', 'ovn-c2-0', 'type=geneve',
        'options:remote_ip=192.0.2.2', 'external_ids:ovn-installed=true')
      await c1.set('Bridge br-int', { 'ct-zone-a_dnat': '5', 'ovn-nb-cfg': '17' })
    }
  },
  { id: 'daemon-problem', says: /Bridge br-int external_ids:evpn-fluod="none": unknown key; the nearest known one is evpn-flood/, breakIt: () => c1.set('Bridge br-int', { 'evpn-fluod': 'none' }) },
  { id: 'bridge-fail-mode', says: /bridge br-int is not fail_mode=secure/, breakIt: () => c1.vsctl('--no-wait', 'set-fail-mode', 'br-int', 'standalone') },
  { id: 'bridge-controller', says: /br-int has another controller: tcp:127\.0\.0\.1:6653/, breakIt: () => c1.vsctl('--no-wait', 'set-controller', 'br-int', 'tcp:127.0.0.1:6653') },
  { id: 'foreign-flow', says: /foreign flow in our place: table=202, priority=300/, breakIt: () => c1.ofctl('add-flow', 'br-int', `table=202,priority=300,metadata=${VNI},dl_dst=${BY_HAND},actions=drop`) },
  { id: 'foreign-group', says: /foreign group in our place: group_id=1073800000/, breakIt: () => c1.ofctl('add-group', 'br-int', 'group_id=1073800000,type=all,bucket=output:1') },
  {
    id: 'tunnel-refused', says: /refuses our tunnel port ovn-evpn-4790.*; taken has UDP port 4790/,
    breakIt: async () => {
      await c1.vsctl('add-port', 'br-int', 'taken', '--', 'set', 'Interface', 'taken', 'type=vxlan', 'options:remote_ip=flow', 'options:key=flow', 'options:local_ip=flow', 'options:dst_port=4790')
      await c1.set('Open_vSwitch .', { 'ovn-evpn-vxlan-ports': '4789,4790' })
    },
    tidy: () => c1.unset('Open_vSwitch .', 'ovn-evpn-vxlan-ports')
  },
  {
    id: 'bridge-missing', says: /the integration bridge br-none does not exist/, breakIt: () => c1.set('Open_vSwitch .', { 'ovn-bridge': 'br-none' }),
    tidy: async () => {
      await c1.unset('Open_vSwitch .', 'ovn-bridge')
      await c1.vsctl('--no-wait', 'del-br', 'br-none')
    }
  }
]

await patient.healthy()
for (const one of CASES) await t.test(`${one.id}: ${one.says.source}`, (t) => patient.provoke(t, one))

await t.test('a daemon that was stopped by a signal: the command lets it go on', async (t) => {
  process.kill(daemon.pid, 'SIGSTOP')
  const { findings, code } = await patient.doctor({ OVS_CTL_TIMEOUT: '1' })
  t.equal(code, 2)
  t.match(findings, [{ id: 'daemon-silent', mend: [`kill -CONT ${daemon.pid}`] }])
  await patient.type(findings[0]?.mend[0] ?? '')
  await patient.healthy()
})

await t.test('a daemon that does not run: which socket was tried, and how to start it', async (t) => {
  await daemon.stop()
  const { findings, code } = await patient.doctor()
  t.equal(code, 2)
  t.match(findings, [{ id: 'daemon-down', what: /^ovs-evpnd is not running: tried .*\.ctl, (nothing answers|there is no such socket)/, mend: ['ovs-evpnd --detach --pidfile'] }])
})
