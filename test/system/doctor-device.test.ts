// `ovs-evpnctl doctor` on a real chassis, its checks of the kernel devices: each finding is provoked, the commands that it prints are
// typed as they stand, and it is gone.
import t from 'tap'
import { PATIENCE } from '../lab/wait.js'
import { BY_HAND, OURS, Patient, type Case } from './util/doctor.js'

// Each question is a process.
t.setTimeout(280_000 * PATIENCE)

const patient = await Patient.admit()
const { c1 } = patient
await patient.lab.startDaemon('c1')

const CASES: readonly Case[] = [
  { id: 'device-missing', says: /VNI 10: vxlan device vxlan-10 does not exist/, breakIt: () => patient.ip('link del vxlan-10') },
  { id: 'device-missing', says: /VNI 10: advertise device lo-10 does not exist/, breakIt: () => patient.ip('link del lo-10') },
  {
    id: 'device-missing', says: /VNI 10: bridge br-10 does not exist/, breakIt: () => patient.ip('link del br-10'),
    tidy: () => patient.ip('link set vxlan-10 master br-10', 'link set vxlan-10 type bridge_slave learning off', 'link set lo-10 master br-10', 'link set lo-10 type bridge_slave learning off')
  },
  { id: 'device-vni', says: /vxlan device vxlan-10 has VNI 11/, breakIt: () => patient.remakeVxlan(`id 11 local ${OURS} dstport 60010`) },
  { id: 'device-learning', says: /vxlan device vxlan-10 has learning on/, breakIt: () => patient.ip('link set vxlan-10 type vxlan learning') },
  { id: 'device-port-learning', says: /the bridge learns on its port lo-10/, breakIt: () => patient.ip('link set lo-10 type bridge_slave learning on') },
  { id: 'device-not-in-bridge', says: /lo-10 is not in bridge br-10/, breakIt: () => patient.ip('link set lo-10 nomaster') },
  { id: 'device-down', says: /br-10 is down/, breakIt: () => patient.ip('link set br-10 down') },
  { id: 'device-link-local', says: /VNI 10: br-10 gives itself an IPv6 link-local address/, breakIt: () => patient.ip('link set br-10 addrgenmode eui64') },
  { id: 'device-link-local', says: /VNI 10: vxlan-10 gives itself an IPv6 link-local address/, breakIt: () => patient.ip('link set vxlan-10 addrgenmode eui64') },
  {
    id: 'device-missing', says: /VNI 30: vxlan device vxlan-30 does not exist, which ovs-evpnd makes itself \(evpn-manage-devices\) once it has an address for it/,
    breakIt: () => c1.set('Bridge br-int', { 'evpn-manage-devices-30': 'true', 'evpn-addresses-30': BY_HAND }),
    tidy: async () => {
      await c1.unset('Bridge br-int', 'evpn-manage-devices-30', 'evpn-addresses-30')
      await c1.unset('Open_vSwitch .', 'ovn-evpn-local-ip')
    }
  },
  {
    id: 'device-vni', says: /VNI 30: vxlan device vxlan-10 has VNI 10; VNI 10 uses it, too/,
    breakIt: () => c1.set('Bridge br-int', { 'dynamic-routing-bridge-ifname-30': 'br-10', 'dynamic-routing-advertise-ifname-30': 'lo-10', 'dynamic-routing-vxlan-ifname-30': 'vxlan-10', 'evpn-addresses-30': BY_HAND }),
    tidy: async () => {
      await c1.unset('Bridge br-int', 'evpn-addresses-30', ...['bridge', 'advertise', 'vxlan'].map((role) => `dynamic-routing-${role}-ifname-30`))
      await patient.ip('link del vxlan-30')
    }
  },
  {
    id: 'device-udp-port', says: /vxlan-10 has UDP port 4790, which Open vSwitch's tunnel port needs/,
    breakIt: async () => {
      await patient.remakeVxlan(`id 10 local ${OURS} dstport 4790`)
      await c1.set('Open_vSwitch .', { 'ovn-evpn-vxlan-ports': '4789,4790' })
    },
    tidy: () => c1.unset('Open_vSwitch .', 'ovn-evpn-vxlan-ports')
  },
  {
    id: 'device-local-ip', says: /vxlan-10 has the address 192\.0\.2\.77, our tunnels have 192\.0\.2\.1/,
    breakIt: async () => {
      await c1.set('Open_vSwitch .', { 'ovn-evpn-local-ip': OURS })
      await patient.remakeVxlan('id 10 local 192.0.2.77 dstport 60010')
    },
    tidy: () => c1.unset('Open_vSwitch .', 'ovn-evpn-local-ip')
  }
]

await patient.healthy()
for (const one of CASES) await t.test(`${one.id}: ${one.says.source}`, (t) => patient.provoke(t, one))
