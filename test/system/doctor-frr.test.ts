// `ovs-evpnctl doctor` on a real chassis, its checks of FRR: each finding is provoked, the commands that it prints are typed as
// they stand, and it is gone.
import { appendFileSync } from 'node:fs'
import t from 'tap'
import { AS } from '../lab/frr.js'
import { frrDir, vtepOf } from '../lab/host.js'
import { PATIENCE } from '../lab/wait.js'
import { eventually } from './util/eventually.js'
import { OURS, VTEP, Patient, type Case } from './util/doctor.js'

// Each question is a process.
t.setTimeout(280_000 * PATIENCE)

const patient = await Patient.admit()
const { c1 } = patient
await patient.lab.startDaemon('c1')
const vtysh = (...lines: readonly string[]): Promise<string> => patient.lab.vtysh('c1', 'configure terminal', `router bgp ${AS}`, ...lines)
const L1_BGPD = `${frrDir(vtepOf(patient.lab.plan, 'l1'))}/bgpd.conf`

const CASES: readonly Case[] = [
  { id: 'frr-down', says: /^bgpd does not answer vtysh$/, breakIt: () => patient.lab.stopService('c1', 'bgpd') },
  { id: 'frr-down', says: /^zebra does not answer vtysh$/, breakIt: () => patient.lab.stopService('c1', 'zebra') },
  { id: 'bgp-no-peer', says: /^no BGP session for EVPN stands: 192\.0\.2\.2 Idle \(Admin\)$/, breakIt: () => vtysh(`neighbor ${VTEP} shutdown`) },
  {
    // The other side does not call, and ours was refused: its next attempt is two minutes away.
    id: 'bgp-no-peer', says: /^no BGP session for EVPN stands: 192\.0\.2\.2 Active$/,
    breakIt: async () => {
      appendFileSync(L1_BGPD, `router bgp ${AS}\n neighbor ${OURS} passive\n`)
      await vtysh(`neighbor ${VTEP} timers connect 120`)
      await patient.lab.stopService('l1', 'bgpd')
    },
    elsewhere: () => patient.lab.startService('l1', 'bgpd'),
    tidy: async () => {
      await vtysh(`neighbor ${VTEP} timers connect 1`)
      await patient.lab.vtysh('l1', 'configure terminal', `router bgp ${AS}`, `no neighbor ${OURS} passive`)
    }
  },
  { id: 'bgp-no-peer', says: /^no BGP neighbor is activated for EVPN: 192\.0\.2\.2$/, breakIt: () => vtysh('address-family l2vpn evpn', `no neighbor ${VTEP} activate`) },
  { id: 'frr-advertise-all-vni', says: /advertise-all-vni is not configured/, breakIt: () => vtysh('address-family l2vpn evpn', 'no advertise-all-vni') },
  { id: 'frr-connect-timer', says: /BGP neighbor 192\.0\.2\.2 waits long between two attempts/, breakIt: () => vtysh(`no neighbor ${VTEP} timers connect`) },
  {
    id: 'frr-shared-device', says: /vxlan0 serves many VNIs, and FRR 8\.4\.4 cannot use such a device/,
    breakIt: async () => {
      await patient.ip('link add vxlan0 type vxlan external dstport 60999 nolearning', 'link set vxlan0 master br-10', 'link set vxlan0 type bridge_slave learning off', 'link set vxlan0 addrgenmode none', 'link set vxlan0 up')
      await c1.set('Bridge br-int', { 'dynamic-routing-vxlan-ifname-10': 'vxlan0' })
    },
    tidy: async () => {
      await patient.ip('link del vxlan0')
      await c1.unset('Bridge br-int', 'dynamic-routing-vxlan-ifname-10')
    }
  },
  { id: 'frr-ipv6-vtep', says: /vxlan-10 has the IPv6 address 2001:db8::1, and FRR 8\.4\.4 announces VTEPs with IPv4 addresses only/, breakIt: () => patient.remakeVxlan('id 10 local 2001:db8::1 dstport 60010') }
]

await patient.healthy()
for (const one of CASES) await t.test(`${one.id}: ${one.says.source}`, (t) => patient.provoke(t, one))

await t.test('a timer that is set on the peer group is one, whoever has it from there', async (t) => {
  await vtysh('neighbor FABRIC peer-group', 'neighbor FABRIC timers connect 5', `no neighbor ${VTEP} timers connect`, `neighbor ${VTEP} peer-group FABRIC`, 'address-family l2vpn evpn', 'neighbor FABRIC activate', `neighbor ${VTEP} activate`)
  const { findings } = await patient.healthy()
  t.strictSame(findings, [])
  await vtysh('neighbor FABRIC timers connect 60')
  await eventually('the finding', () => patient.doctor(), (seen) => seen.findings.some(({ id }) => id === 'frr-connect-timer'), 30_000)
})
