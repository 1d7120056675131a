// A chassis on the kernel datapath, as most operators run it: vxlan_sys_4789 beside the speaker's own vxlan devices, a dummy
// as advertise device, the underlay address on a plain device, and a Linux VTEP with FRR as peer.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { needs } from '../lab/needs.js'
import { ping } from '../lab/ping.js'
import { addressOf, labMac, workloadOf } from '../lab/spec.js'
import { waitFor } from '../lab/wait.js'
import { parseMacIpRoutes } from '../demo/routes.js'
import { Chassis, lines } from '../system/util/chassis.js'
import { eventually, eventuallyHas } from '../system/util/eventually.js'
import { losses, packetsSent, underTraffic } from '../system/util/traffic.js'

needs('kernel datapath', 'dummy')

const VNI = 1000
const [OURS, THEIRS] = [workloadOf({ name: 'c1', index: 1 }, VNI, 1, 1), workloadOf({ name: 'l1', index: 2 }, VNI, 1, 1)]
const IP = { c1: '192.0.2.1', l1: '192.0.2.2' } as const
const lab = await Lab.up({ chassis: 1, linux: 1, vnis: [VNI], workloads: [OURS, THEIRS], datapath: 'system', uplink: 'eth0' })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
// As an operator would make it; the lab's own is a veth.
await c1.run(['ip', '-batch', '-'], { input: [
  `link del lo-${VNI}`, `link add name lo-${VNI} type dummy`, `link set lo-${VNI} addrgenmode none`,
  `link set lo-${VNI} master br-${VNI}`, `link set lo-${VNI} type bridge_slave learning off`, `link set lo-${VNI} up`
].join('\n') })
let daemon = await lab.startDaemon('c1')

interface VxlanLink {
  readonly ifname: string
  readonly linkinfo: { readonly info_data: { readonly port: number, readonly id?: number, readonly external?: boolean } }
}

await t.test('VXLAN goes by vxlan_sys_4789, beside the VNI\'s own vxlan device on a UDP port of its own', async (t) => {
  const links = async (): Promise<string[]> => {
    const all = JSON.parse(await c1.run(['ip', '-json', '-details', 'link', 'show', 'type', 'vxlan'])) as VxlanLink[]
    return all.map(({ ifname, linkinfo: { info_data: { port, id, external } } }) =>
      `${ifname} ${port} ${external === true ? 'any VNI' : id}`).sort()
  }
  const seen = await eventually('both devices', links, ({ length }) => length === 2)
  t.same(seen, [`vxlan-${VNI} ${60000 + VNI} ${VNI}`, 'vxlan_sys_4789 4789 any VNI'], 'device, UDP port, VNI')
  t.same(await c1.problems(), [], 'nothing to report')
})

await t.test('a dummy as advertise device: our workload is a Type-2 route at the peer, with both addresses', async () => {
  await eventually('the routes of our workload', async () =>
    parseMacIpRoutes(await lab.vtysh('l1', 'show bgp l2vpn evpn route type macip json'))
      .filter(({ mac, nextHop }) => mac === OURS.mac && nextHop === IP.c1).map(({ ip }) => ip ?? 'MAC').sort(),
  (seen) => seen.join() === ['MAC', addressOf(OURS, 4), addressOf(OURS, 6)].sort().join(), 20_000)
})

for (const family of [4, 6] as const) {
  await t.test(`IPv${family}: our workload and that of the Linux VTEP reach each other`, async (t) => {
    for (const [from, to] of [[OURS.name, THEIRS.name], [THEIRS.name, OURS.name]] as const) {
      await waitFor(`${from} to reach ${to}`, async () => (await ping(lab, from, to, { family, count: 1 })).received === 1, 20_000)
      t.same(await ping(lab, from, to, { family, count: 5 }), { sent: 5, received: 5 }, `${from} > ${to}`)
    }
  })
}

await t.test('packets as large as the workloads\' MTU pass, unfragmented', async (t) => {
  const made = await fragmentsMade()
  const { stdout } = await lab.exec(OURS.name, ['ping', '-c', '3', '-W', '5', '-M', 'do', '-s', '1472', addressOf(THEIRS, 4) ?? ''], { allowFailure: true })
  t.match(stdout, '3 received', 'no answer is missing')
  t.same(await fragmentsMade(), made, 'neither VTEP made fragments of the packets around them')
})

/** Fragments that each VTEP has made so far: FragCreates in the row `Ip` of /proc/net/snmp. */
async function fragmentsMade(): Promise<string[]> {
  return await Promise.all(['c1', 'l1'].map(async (host) => {
    const [names = [], values = []] = lines((await lab.exec(host, ['cat', '/proc/net/snmp'])).stdout).filter((line) => line.startsWith('Ip:')).map((line) => line.split(' '))
    return `${host} ${values[names.indexOf('FragCreates')]}`
  }))
}

/** The flows that the kernel holds for packets to a MAC. */
async function datapathFlows(dst: string): Promise<string[]> {
  const all = lines(await c1.run(['ovs-appctl', '-t', 'ovs-vswitchd', 'dpctl/dump-flows', '--names']))
  return all.filter((flow) => flow.includes(`dst=${dst}`))
}

await t.test('unicast is forwarded in the kernel: set(tunnel(...)) and an output, nothing in the slow path', async (t) => {
  const seen = new Map<string, string[]>()
  await waitFor('datapath flows of IPv4 and IPv6 in each direction', async () => {
    await Promise.all(([4, 6] as const).map((family) => ping(lab, OURS.name, THEIRS.name, { family, count: 2 })))
    for (const mac of [OURS.mac, THEIRS.mac]) seen.set(mac, await datapathFlows(mac))
    const hasBoth = (flows: readonly string[]) => ['0x0800', '0x86dd'].every((type) => flows.some((flow) => flow.includes(`eth_type(${type})`)))
    return [...seen.values()].every(hasBoth) || [...seen.values()].flat().join('\n')
  })
  for (const flow of seen.get(THEIRS.mac) ?? []) {
    t.match(flow, /actions:set\(tunnel\(tun_id=0x3e8,src=192\.0\.2\.1,dst=192\.0\.2\.2,.*\)\),vxlan_sys_4789$/, 'to the VTEP')
  }
  for (const flow of seen.get(OURS.mac) ?? []) {
    t.match(flow, /tunnel\(tun_id=0x3e8,src=192\.0\.2\.2,dst=192\.0\.2\.1,/, 'from the VTEP')
    t.match(flow, new RegExp(`actions:${OURS.name}$`), 'to the workload')
  }
  t.comment([...seen.values()].flat().join('\n'))
})

await t.test('kill -9 and a restart under traffic: no packet is lost', async (t) => {
  const results = await underTraffic(lab, [[OURS.name, THEIRS.name], [THEIRS.name, OURS.name]], async () => {
    await daemon.stop('SIGKILL')
    daemon = await lab.startDaemon('c1')
    await eventually('the daemon to know the peer\'s workload', () => c1.report<readonly { readonly mac: string }[]>('macs', VNI),
      (macs) => macs.some(({ mac }) => mac === THEIRS.mac), 20_000)
  })
  t.comment(`${packetsSent(results)} packets`)
  t.same(losses(results), [], 'every packet is answered once')
})

await t.test('a workload that comes later is reached, and one that goes is forgotten', async () => {
  const later = { name: 'later', vtep: 'l1', vni: VNI, mac: labMac({ index: 2 }, 1, 7), addresses: ['10.0.1.27/16'] }
  await lab.addWorkload(later)
  await eventuallyHas('its MAC in the switch', () => c1.ourFlows(), `dl_dst=${later.mac}`)
  await waitFor('our workload to reach it', async () => (await ping(lab, OURS.name, 'later', { count: 1 })).received === 1, 20_000)
  await lab.removeWorkload('later')
  await eventually('its MAC to be gone from the switch', () => c1.ourFlows(), (flows) => !flows.some((flow) => flow.includes(`dl_dst=${later.mac}`)), 20_000)
})
