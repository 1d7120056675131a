// With FRR on both sides: the addresses of a chassis' workloads are Type-2 routes at the peer, and are withdrawn with them.
import t from 'tap'
import { parseMacIpRoutes } from '../demo/routes.js'
import { Lab } from '../lab/lab.js'
import { withoutPrefix, type WorkloadSpec } from '../lab/spec.js'
import { Chassis } from './util/chassis.js'
import { eventually } from './util/eventually.js'
import { workload } from './util/workload.js'

const [w10, w11, w20] = [workload('w10', 10, 1), workload('w11', 10, 3), workload('w20', 20, 2)]
const lab = await Lab.up({ chassis: 1, linux: 1, speaker: true, vnis: [10, 20], workloads: [w10, w11, w20] })
t.teardown(() => lab.down())
const chassis = new Chassis(lab)
const daemon = await lab.startDaemon('c1')

/** Routes of the chassis in the BGP table of the plain Linux VTEP: `MAC` or `MAC IP`. */
async function routes(): Promise<string[]> {
  const all = parseMacIpRoutes(await lab.vtysh('l1', 'show bgp l2vpn evpn route type macip json'))
  return all.filter(({ nextHop }) => nextHop === '192.0.2.1').map(({ mac, ip }) => (ip === undefined ? mac : `${mac} ${ip}`)).sort()
}

async function peerSees(why: string, wanted: readonly string[]): Promise<void> {
  await eventually(`the peer to have these routes of c1 (${why}): ${wanted.join(', ') || 'none'}`, routes,
    (seen) => seen.join() === [...wanted].sort().join(), 20_000)
}

/** The routes of a MAC and its IPs: FRR announces the MAC alone, and once more with each IP. */
const routesOf = (mac: string, ...ips: readonly string[]) => [mac, ...ips.map((ip) => `${mac} ${ip}`)]
const all = (...workloads: readonly WorkloadSpec[]) => workloads.flatMap(({ mac, addresses }) => routesOf(mac, ...addresses.map(withoutPrefix)))

await t.test('each MAC is a Type-2 route at the peer, and each MAC with each of its IPs', async () => {
  await peerSees('at start', all(w10, w11, w20))
})

await t.test('a MAC without IP is a MAC route only, and in the peer\'s FDB', async () => {
  await chassis.set('Interface w11', { 'evpn-addresses': w11.mac })
  await peerSees('w11 without IPs', [...all(w10, w20), w11.mac])
  const fdb = async () => (await lab.exec('l1', ['bridge', 'fdb', 'show', 'dev', 'vxlan-10'])).stdout
  await eventually('the peer to send frames for it to c1', fdb, (rows) => rows.includes(`${w11.mac} dst 192.0.2.1 self`))
})

await t.test('an IP is withdrawn when it goes from evpn-addresses, and announced when it comes', async () => {
  await chassis.set('Interface w10', { 'evpn-addresses': `${w10.mac} fd00::1 10.0.0.77` })
  await peerSees('10.0.0.1 became 10.0.0.77', [...routesOf(w10.mac, 'fd00::1', '10.0.0.77'), ...all(w20), w11.mac])
})

await t.test('a port\'s addresses are withdrawn when the port goes', async () => {
  await chassis.vsctl('del-port', 'br-int', 'w10')
  await peerSees('w10 is gone', [...all(w20), w11.mac])
})

await t.test('addresses without a port are announced', async () => {
  await chassis.set('Bridge br-int', { 'evpn-addresses-20': '02:00:00:00:20:fe 10.0.0.254' })
  await peerSees('a gateway in VNI 20', [...all(w20), w11.mac, ...routesOf('02:00:00:00:20:fe', '10.0.0.254')])
  await chassis.unset('Bridge br-int', 'evpn-addresses-20')
  await peerSees('no gateway', [...all(w20), w11.mac])
})

await t.test('the VNI\'s addresses are withdrawn when its last port leaves it', async () => {
  await chassis.unset('Interface w20', 'dynamic-routing-vni')
  await peerSees('no port in VNI 20', [w11.mac])
})

await t.test('kill -9 and a restart keep the routes, exit --cleanup withdraws them', async () => {
  await daemon.stop('SIGKILL')
  const next = await lab.startDaemon('c1')
  await peerSees('restarted', [w11.mac])
  await next.appctl('exit', '--cleanup')
  await peerSees('cleaned up', [])
})
