// evpn-addresses-<vni>: virtual IPs and gateway MACs that no port has. FRR announces them; a plain Linux VTEP takes one over.
import t from 'tap'
import { parseMacIpRoutes } from '../demo/routes.js'
import { Lab } from '../lab/lab.js'
import { Chassis } from '../system/util/chassis.js'
import { BROADCAST } from '../system/util/frame.js'
import { eventually } from '../system/util/eventually.js'
import { Wire } from '../system/util/wire.js'
import { workload } from '../system/util/workload.js'

const VNI = 10
const GATEWAY = { mac: '02:00:00:00:10:fe', ips: ['10.0.0.254', 'fd00::fe'] } as const
const [a, b, far] = [workload('a', VNI, 1), workload('b', VNI, 2), workload('far', VNI, 3)]
const lab = await Lab.up({ chassis: 1, linux: 1, vnis: [VNI], workloads: [
  { ...a, vtep: 'c1' },
  // A port that asks for unknown destinations: what nobody has would be flooded.
  { ...b, vtep: 'c1', externalIds: { 'dynamic-routing-vni': String(VNI), 'evpn-addresses': `${b.mac}, unknown` } },
  { ...far, vtep: 'l1' }
] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
await c1.set('Bridge br-int', { [`evpn-addresses-${VNI}`]: [GATEWAY.mac, ...GATEWAY.ips].join(' ') })
await lab.startDaemon('c1')
const wires = { a: await Wire.open(lab, 'a'), b: await Wire.open(lab, 'b'), far: await Wire.open(lab, 'far') }

/** MAC-IP routes of the gateway, as the peer has them. */
async function routes(): Promise<string[]> {
  const all = parseMacIpRoutes(await lab.vtysh('l1', 'show bgp l2vpn evpn route type macip json'))
  return all.filter(({ mac }) => mac === GATEWAY.mac).map(({ ip, nextHop }) => `${ip ?? 'alone'} at ${nextHop}`).sort()
}

async function dropped(): Promise<number> {
  const rows = await c1.report<readonly { readonly reason: string, readonly packets: number }[]>('drops', VNI)
  return rows.find(({ reason }) => reason === 'no port')?.packets ?? 0
}

let serial = 0
function toGateway(): string {
  const name = `to the gateway ${++serial}`
  wires.a.send({ src: a.mac, dst: GATEWAY.mac, name })
  return name
}

await t.test('rule 13: evpn-addresses-<vni>: addresses without a port are announced by FRR', async () => {
  await eventually('the peer to have the routes', routes, (seen) => seen.join() === ['10.0.0.254 at 192.0.2.1', 'alone at 192.0.2.1', 'fd00::fe at 192.0.2.1'].join(), 20_000)
  await eventually('them to be told as advertised', () => c1.report<readonly { readonly mac: string, readonly port: string, readonly state: string }[]>('local', VNI),
    (rows) => rows.some(({ mac, port, state }) => mac === GATEWAY.mac && port === '-' && state === 'advertised'))
})

await t.test('rule 13: evpn-addresses-<vni>: a packet for a MAC without a port is dropped with its reason, and never flooded', async (t) => {
  const before = await dropped()
  const name = toGateway()
  await eventually('the drop to be counted', dropped, (count) => count > before)
  // Behind it a frame that is flooded: what had been flooded before it would be there, too.
  for (let i = 0; i < 2; i++) {
    wires.a.send({ src: a.mac, dst: BROADCAST, name: `behind ${i}` })
    await Promise.all([wires.b.waitFor(`behind ${i}`), wires.far.waitFor(`behind ${i}`)])
  }
  t.strictSame([wires.b.arrivals(name).length, wires.far.arrivals(name).length], [0, 0])
})

await t.test('rule 13: evpn-addresses-<vni>: while another chassis announces the MAC, packets follow its claim', async () => {
  wires.far.send({ src: GATEWAY.mac, dst: BROADCAST, name: 'here am I' })
  await eventually('the remote claim to stand', () => c1.report<readonly { readonly mac: string, readonly state: string }[]>('local', VNI),
    (rows) => rows.some(({ mac, state }) => mac === GATEWAY.mac && state !== 'advertised'), 20_000)
  await eventually('a packet to follow it', () => {
    toGateway()
    return Array.from({ length: serial }, (_, i) => `to the gateway ${i + 1}`).some((name) => wires.far.arrivals(name).length > 0)
  }, (hasArrived) => hasArrived, 20_000)
})

await t.test('rule 13: evpn-addresses-<vni>: they are withdrawn with the key', async () => {
  await c1.unset('Bridge br-int', `evpn-addresses-${VNI}`)
  await eventually('no route of c1 to be left', routes, (seen) => !seen.some((line) => line.endsWith('192.0.2.1')), 20_000)
  await eventually('no flow of it', () => c1.ourFlows('table=202'), (flows) => !flows.some((flow) => flow.includes(`priority=40,`)))
})
