// `ovs-evpnctl doctor` on a real chassis, its checks of the underlay: each finding is provoked, the commands that it prints are typed
// as they stand, and it is gone.
import t from 'tap'
import { PATIENCE } from '../lab/wait.js'
import { BY_HAND, OURS, VNI, VTEP, Patient, type Case } from './util/doctor.js'
import { Speaker } from './util/speaker.js'

// Each question is a process.
t.setTimeout(280_000 * PATIENCE)

const patient = await Patient.admit()
const { c1 } = patient
await patient.lab.startDaemon('c1')
const speaker = new Speaker(c1)
const byHand = (to: string) => () => speaker.mac(VNI, BY_HAND, to)
const noByHand = (): Promise<void> => speaker.noMac(VNI, BY_HAND)

const CASES: readonly Case[] = [
  {
    id: 'local-ip-foreign', says: /192\.0\.2\.77, the tunnels' own address in VNI 10, is on no device/,
    breakIt: () => c1.set('Open_vSwitch .', { 'ovn-evpn-local-ip': '192.0.2.77' }), tidy: () => c1.unset('Open_vSwitch .', 'ovn-evpn-local-ip')
  },
  {
    id: 'local-ip-down', says: /192\.0\.2\.78, the tunnels' own address in VNI 10, is on down0, which is down/,
    breakIt: async () => {
      await patient.ip('link add down0 type veth peer name down1', 'address add 192.0.2.78/32 dev down0')
      await c1.set('Open_vSwitch .', { 'ovn-evpn-local-ip': '192.0.2.78' })
    },
    tidy: async () => {
      await c1.unset('Open_vSwitch .', 'ovn-evpn-local-ip')
      await patient.ip('link del down0')
    }
  },
  {
    id: 'local-ip-missing', says: /VNI 10 has VTEPs with IPv4 addresses, and no IPv4 address of its own/,
    breakIt: async () => {
      await patient.remakeVxlan('id 10 dstport 60010')
      await speaker.vtep(VNI, VTEP)
    },
    tidy: async () => {
      await patient.remakeVxlan(`id 10 local ${OURS} dstport 60010`)
      await c1.unset('Open_vSwitch .', 'ovn-evpn-local-ip')
    }
  },
  { id: 'vtep-no-route', says: /has no route to VTEP 198\.51\.100\.9/, breakIt: byHand('198.51.100.9'), tidy: noByHand },
  {
    id: 'vtep-no-neighbour', says: /192\.0\.2\.50, the next hop to VTEP 192\.0\.2\.50, does not answer/, breakIt: byHand('192.0.2.50'),
    // The kernel forgets who did not answer, sooner when it has many neighbours.
    again: () => c1.run(['ping', '-c', '1', '-W', '5', '192.0.2.50'], { allowFailure: true }),
    elsewhere: () => patient.lab.exec('l1', ['ip', 'addr', 'add', '192.0.2.50/24', 'dev', 'eth0']),
    effect: async () => (await c1.run(['ip', 'neigh', 'show', '192.0.2.50'])).includes('lladdr'),
    tidy: async () => {
      await noByHand()
      await patient.lab.exec('l1', ['ip', 'addr', 'del', '192.0.2.50/24', 'dev', 'eth0'])
    }
  },
  { id: 'vtep-mtu', says: /packets of 1500 bytes need 1550 on the way to VTEP 192\.0\.2\.2, and eth0 takes 1500/, breakIt: () => patient.ip('link set eth0 mtu 1500') },
  {
    id: 'tx-checksum', says: /host1 leaves TX checksums to hardware/,
    breakIt: async () => {
      await patient.ip('link add host0 type veth peer name host1', 'link set host0 up')
      await c1.vsctl('--no-wait', 'add-port', 'br-phy', 'host0')
    },
    tidy: async () => {
      await c1.vsctl('--no-wait', 'del-port', 'br-phy', 'host0')
      await patient.ip('link del host0')
    }
  }
]

await patient.healthy()
// The kernel's datapath fills in checksums.
for (const one of CASES.filter(({ id }) => patient.isUserspace || id !== 'tx-checksum')) await t.test(`${one.id}: ${one.says.source}`, (t) => patient.provoke(t, one))
