// `ovs-evpnctl explain` of an address that is here, on a real chassis: each link from the port to BGP is broken in turn, the verdict
// names it, and is gone when the link is mended.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { addressOf } from '../lab/spec.js'
import { PATIENCE } from '../lab/wait.js'
import { Chassis } from './util/chassis.js'
import { provoke, repairs, verdictOn, type Break } from './util/explain.js'
import { Speaker } from './util/speaker.js'

// FRR takes seconds to notice what is broken, and each question is a process.
t.setTimeout(280_000 * PATIENCE)

const VNI = 10
const lab = await Lab.up({ chassis: 1, linux: 1, vnis: [VNI] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
await lab.startDaemon('c1')

const here = lab.plan.workloads.find(({ vtep }) => vtep === 'c1')
if (here === undefined) throw new Error('the chassis has a workload')
const HERE_IP = addressOf(here, 4) ?? ''
const TO_HERE = `table=202,priority=400,metadata=${VNI},dl_dst=${here.mac}`
const VTEP = '192.0.2.2'

const ip = (...words: readonly string[]): Promise<string> => c1.run(['ip', ...words])

await t.test('what is in order is said to be, by MAC and by IP', async (t) => {
  for (const address of [here.mac, HERE_IP]) t.match((await verdictOn(lab, address, 'ok')).what, /every link is in order/)
})

const LOCAL: readonly Break[] = [
  {
    kind: 'port_down', what: 'the port is down', address: here.mac, says: /its port c1-10-a is down/,
    breakIt: () => ip('link', 'set', here.name, 'down'), mendIt: () => ip('link', 'set', here.name, 'up')
  },
  {
    kind: 'port_missing', what: 'the port has no device', address: '02:aa:00:00:00:77', says: /its port nowhere is not on the switch/, after: 'unknown',
    breakIt: async () => {
      await c1.vsctl('--no-wait', 'add-port', 'br-int', 'nowhere')
      await c1.set('Interface nowhere', { 'dynamic-routing-vni': String(VNI), 'evpn-addresses': '02:aa:00:00:00:77' })
    },
    mendIt: () => c1.vsctl('--no-wait', 'del-port', 'br-int', 'nowhere')
  },
  {
    kind: 'not_announced', what: 'announcing is off', address: HERE_IP, says: /not announced \(local\): dynamic-routing-advertise is false/,
    breakIt: () => c1.set(`Interface ${here.name}`, { 'dynamic-routing-advertise': 'false' }), mendIt: () => c1.unset(`Interface ${here.name}`, 'dynamic-routing-advertise')
  },
  {
    kind: 'not_announced', what: 'another chassis announces it', address: '02:aa:00:00:00:88', says: /not announced \(waiting\): another chassis announces this MAC/, after: 'unknown',
    breakIt: async () => {
      await speaker.mac(VNI, '02:aa:00:00:00:88', VTEP)
      await c1.set('Bridge br-int', { [`evpn-addresses-${VNI}`]: '02:aa:00:00:00:88' })
    },
    mendIt: async () => {
      await c1.unset('Bridge br-int', `evpn-addresses-${VNI}`)
      await speaker.noMac(VNI, '02:aa:00:00:00:88')
    }
  },
  {
    kind: 'row_missing', what: 'our FDB row was deleted', address: here.mac, says: /no row of ours for it on lo-10/,
    breakIt: () => repairs(c1, false), again: () => c1.run(['bridge', 'fdb', 'del', here.mac, 'dev', 'lo-10', 'master'], { allowFailure: true }),
    mendIt: () => repairs(c1, true)
  },
  {
    kind: 'neighbour_missing', what: 'our neighbour was deleted', address: HERE_IP, says: /no neighbour of ours for 10\.0\.1\.11 on br-10/,
    breakIt: () => repairs(c1, false), again: () => c1.run(['ip', 'neigh', 'del', HERE_IP, 'dev', 'br-10'], { allowFailure: true }),
    mendIt: () => repairs(c1, true)
  },
  {
    kind: 'vni_not_in_frr', what: 'advertise-all-vni is missing', address: here.mac, says: /does not know VNI 10: advertise-all-vni is missing/,
    breakIt: () => lab.vtysh('c1', 'configure terminal', 'router bgp 65000', 'address-family l2vpn evpn', 'no advertise-all-vni'),
    mendIt: () => lab.vtysh('c1', 'configure terminal', 'router bgp 65000', 'address-family l2vpn evpn', 'advertise-all-vni')
  },
  {
    kind: 'flow_missing', what: 'a flow was deleted', address: here.mac, says: /the switch lacks the flow table=202, priority=400/,
    breakIt: () => repairs(c1, false), again: () => c1.ofctl('--strict', 'del-flows', 'br-int', TO_HERE),
    mendIt: () => repairs(c1, true)
  },
  {
    kind: 'flow_different', what: 'a flow was changed', address: here.mac, says: /somebody changed our flow table=202, priority=400.*does now: drop/,
    breakIt: () => repairs(c1, false), again: () => c1.ofctl('--strict', 'mod-flows', 'br-int', `${TO_HERE},actions=drop`),
    mendIt: () => repairs(c1, true)
  },
  {
    kind: 'daemon_blind', what: 'ovs-vswitchd is gone', address: here.mac, says: /cannot program the switch: not connected/,
    breakIt: () => lab.stopService('c1', 'ovs-vswitchd', 'SIGKILL'), mendIt: () => lab.startService('c1', 'ovs-vswitchd')
  },
  {
    kind: 'no_peer', what: 'the other end of BGP is gone', address: here.mac, says: /no BGP session stands/,
    breakIt: () => lab.stopService('l1', 'bgpd'), mendIt: () => lab.startService('l1', 'bgpd')
  },
  {
    kind: 'bgpd_down', what: 'bgpd is gone', address: here.mac, says: /bgpd does not answer vtysh/,
    breakIt: () => lab.stopService('c1', 'bgpd'), mendIt: () => lab.startService('c1', 'bgpd')
  }
]

for (const one of LOCAL) await t.test(`${one.what} -> ${one.kind}`, (t) => provoke(t, lab, one))
