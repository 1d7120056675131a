// One vxlan device for all VNIs (external, vnifilter) in one VLAN-aware bridge, a VLAN for each VNI. The speaker's rows are
// written by hand in the forms of FRR 9 and later: NDA_SRC_VNI on the device, the VLAN on the bridge, neighbours on its VLAN's device.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { needs } from '../lab/needs.js'
import { ping } from '../lab/ping.js'
import { waitFor } from '../lab/wait.js'
import { Chassis, lines } from '../system/util/chassis.js'
import { coverage } from '../system/util/daemon-numbers.js'
import { eventually } from '../system/util/eventually.js'
import { Speaker } from '../system/util/speaker.js'
import { workload } from '../system/util/workload.js'

needs('vnifilter', 'vlan filtering', 'vlan device')

const VNIS = [1010, 1020] as const
const IP = { c1: '192.0.2.1', l1: '192.0.2.2' } as const
const vlanOf = (vni: number): number => vni - 1000
const pairs = VNIS.map((vni, i) => ({ vni, ours: workload(`ours-${vni}`, vni, 10 * i + 1), theirs: workload(`theirs-${vni}`, vni, 10 * i + 2, 'l1') }))
const workloads = pairs.flatMap(({ ours, theirs }) => [ours, theirs])
const lab = await Lab.up({ chassis: 1, linux: 1, frr: false, devices: false, vnis: VNIS, workloads })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
await makeDevices()
await c1.set('Bridge br-int', { 'dynamic-routing-bridge-ifname': 'br-svd', 'dynamic-routing-vxlan-ifname': 'vxlan-svd' })
const linux = new Speaker(new Chassis(lab, 'l1'))
for (const { vni, ours, theirs } of pairs) {
  await remote(vni, theirs.mac)
  await linux.vtep(vni, IP.c1)
  await linux.mac(vni, ours.mac, IP.c1)
}
const daemon = await lab.startDaemon('c1')

async function makeDevices(): Promise<void> {
  await c1.run(['ip', '-batch', '-'], { input: [
    'link add name br-svd type bridge vlan_filtering 1 vlan_default_pvid 0 mcast_snooping 0',
    'link set br-svd addrgenmode none', 'link set br-svd up',
    `link add name vxlan-svd type vxlan dstport 60000 local ${IP.c1} nolearning external vnifilter`,
    'link set vxlan-svd master br-svd', 'link set vxlan-svd addrgenmode none', 'link set vxlan-svd up',
    ...VNIS.flatMap((vni) => [
      `link add name lo-${vni} type veth peer name lop-${vni}`, `link set lo-${vni} master br-svd`,
      `link set lo-${vni} type bridge_slave learning off`, `link set lo-${vni} addrgenmode none`, `link set lo-${vni} up`
    ])
  ].join('\n') })
  await c1.run(['bridge', '-batch', '-'], { input: [
    'link set dev vxlan-svd vlan_tunnel on learning off',
    ...VNIS.flatMap((vni) => [
      `vlan add vid ${vlanOf(vni)} dev br-svd self`, `vlan add vid ${vlanOf(vni)} dev vxlan-svd`,
      `vlan add vid ${vlanOf(vni)} dev vxlan-svd tunnel_info id ${vni}`, `vni add vni ${vni} dev vxlan-svd`,
      `vlan add vid ${vlanOf(vni)} dev lo-${vni} pvid untagged`
    ])
  ].join('\n') })
  await c1.run(['ip', '-batch', '-'], { input: VNIS.flatMap((vni) => [
    `link add link br-svd name svi-${vni} type vlan id ${vlanOf(vni)}`, `link set svi-${vni} addrgenmode none`, `link set svi-${vni} up`
  ]).join('\n') })
}

/** The peer and one MAC behind it, as a speaker writes them. */
async function remote(vni: number, mac: string): Promise<void> {
  await c1.run(['bridge', '-batch', '-'], { input: [
    `fdb append 00:00:00:00:00:00 dev vxlan-svd dst ${IP.l1} src_vni ${vni} self permanent`,
    `fdb replace ${mac} dev vxlan-svd dst ${IP.l1} src_vni ${vni} self extern_learn`,
    `fdb replace ${mac} dev vxlan-svd vlan ${vlanOf(vni)} master dynamic extern_learn`
  ].join('\n') })
}

async function macsOf(vni: number): Promise<string[]> {
  return (await c1.report<readonly { readonly mac: string, readonly ip?: string }[]>('macs', vni))
    .filter(({ ip }) => ip === IP.l1).map(({ mac }) => mac)
}

await t.test('each VNI knows its own remote MAC, and not the other\'s', async (t) => {
  for (const { vni, theirs } of pairs) {
    await eventually(`VNI ${vni} to know ${theirs.mac} only`, () => macsOf(vni), (macs) => macs.join() === theirs.mac)
  }
  t.same((await c1.problems()).filter((line) => line.includes('svd')), [], 'nothing to report of the devices')
})

for (const { vni, ours, theirs } of pairs) {
  for (const family of [4, 6] as const) {
    await t.test(`VNI ${vni}, IPv${family}: our workload and that of the Linux VTEP reach each other`, async (t) => {
      for (const [from, to] of [[ours.name, theirs.name], [theirs.name, ours.name]] as const) {
        await waitFor(`${from} to reach ${to}`, async () => (await ping(lab, from, to, { family, count: 1 })).received === 1)
        t.same(await ping(lab, from, to, { family, count: 3 }), { sent: 3, received: 3 }, `${from} > ${to}`)
      }
    })
  }
}

await t.test('the VNIs do not meet, though all workloads are in one subnet', async (t) => {
  const [one, other] = pairs
  for (const to of [other?.ours, other?.theirs]) {
    t.same(await ping(lab, one?.ours.name ?? '', to?.name ?? '', { count: 2 }), { sent: 2, received: 0 }, `${one?.ours.name} > ${to?.name}`)
  }
})

await t.test('our MACs are announced each in the VLAN of its VNI', async () => {
  for (const { vni, ours } of pairs) {
    await eventually(`${ours.mac} on lo-${vni} in VLAN ${vlanOf(vni)}`, async () =>
      lines(await c1.run(['bridge', 'fdb', 'show', 'dev', `lo-${vni}`])).filter((line) => line.startsWith(ours.mac)),
    (rows) => rows.some((row) => row.includes(`vlan ${vlanOf(vni)} `) && row.includes('static')) && !rows.some((row) => row.includes(`vlan ${vlanOf(vni === 1010 ? 1020 : 1010)} `)))
  }
})

await t.test('a MAC bound in both VNIs is announced in both VLANs; taken by another chassis in one of them, it waits there only', async (t) => {
  const mac = '02:00:00:00:00:66'
  await c1.set('Bridge br-int', Object.fromEntries(VNIS.map((vni) => [`evpn-addresses-${vni}`, mac])))
  const rowsOf = async (vni: number) => lines(await c1.run(['bridge', 'fdb', 'show', 'br', 'br-svd'])).filter((line) => line.startsWith(`${mac} `) && line.includes(`vlan ${vlanOf(vni)} `))
  const stateOf = async (vni: number) => (await c1.report<readonly { readonly mac: string, readonly state: string }[]>('local', vni)).find((row) => row.mac === mac)?.state
  for (const vni of VNIS) await eventually(`${mac} on lo-${vni}`, () => rowsOf(vni), (rows) => rows.length === 1 && rows[0]?.includes(`dev lo-${vni} `) === true)
  await remote(1010, mac)
  await eventually('VNI 1010 to wait for it', () => stateOf(1010), (state) => state === 'contested')
  t.equal(await stateOf(1020), 'advertised')
  t.match(await rowsOf(1020), [/dev lo-1020 /])
  await c1.run(['bridge', 'fdb', 'del', mac, 'dev', 'vxlan-svd', 'src_vni', '1010', 'self'])
  await c1.run(['bridge', 'fdb', 'del', mac, 'dev', 'vxlan-svd', 'vlan', String(vlanOf(1010)), 'master'])
  await eventually('VNI 1010 to announce it again', () => stateOf(1010), (state) => state === 'advertised')
  await c1.unset('Bridge br-int', ...VNIS.map((vni) => `evpn-addresses-${vni}`))
  for (const vni of VNIS) await eventually(`${mac} to be gone from lo-${vni}`, () => rowsOf(vni), (rows) => rows.length === 0)
})

await t.test("IPs: ours stand on the device of our VLAN, and a neighbour there is known in its VNI alone", async (t) => {
  for (const { vni, ours } of pairs) {
    await eventually(`the IPs of ${ours.name} on svi-${vni}`, async () => lines(await c1.run(['ip', 'neigh', 'show', 'dev', `svi-${vni}`])),
      (rows) => rows.some((row) => row.includes(ours.mac)))
  }
  t.same(lines(await c1.run(['ip', 'neigh', 'show', 'dev', 'br-svd'])), [], 'nothing stands on the bridge itself')
  const { theirs: { mac } } = pairs[0] ?? (() => { throw new Error('no VNI') })()
  await new Speaker(c1).ip(1010, '10.77.0.1', mac, 'svi-1010')
  const ipsOf = async (vni: number) => (await c1.report<readonly { readonly ip: string }[]>('ips', vni)).map(({ ip }) => ip)
  await eventually('VNI 1010 to know 10.77.0.1', () => ipsOf(1010), (ips) => ips.includes('10.77.0.1'))
  t.notOk((await ipsOf(1020)).includes('10.77.0.1'), 'VNI 1020 does not')
  await new Speaker(c1).noIp(1010, '10.77.0.1', 'svi-1010')
})

await t.test('a VLAN taken from the vxlan device: said, nothing announced; given back: as before', async () => {
  const announced = async () => lines(await c1.run(['bridge', 'fdb', 'show', 'dev', 'lo-1010'])).some((line) => line.startsWith(pairs[0]?.ours.mac ?? ''))
  const isSaid = async () => (await c1.problems()).some((line) => line.includes('no VLAN of bridge br-svd for VNI 1010'))
  await c1.run(['bridge', 'vlan', 'del', 'vid', '10', 'dev', 'vxlan-svd', 'tunnel_info', 'id', '1010'])
  await eventually('it to be said', isSaid, (said) => said)
  await eventually('nothing to be announced', announced, (is) => !is)
  await c1.run(['bridge', 'vlan', 'add', 'vid', '10', 'dev', 'vxlan-svd', 'tunnel_info', 'id', '1010'])
  await eventually('it to be over', isSaid, (said) => !said)
  await eventually('our MAC to be announced again', announced, (is) => is)
})

await t.test('a MAC moves from one VNI to the other, and is withdrawn there', async () => {
  const mac = '02:00:00:00:00:77'
  await remote(1010, mac)
  await eventually('VNI 1010 to know it', () => macsOf(1010), (macs) => macs.includes(mac))
  await remote(1020, mac)
  await c1.run(['bridge', 'fdb', 'del', mac, 'dev', 'vxlan-svd', 'src_vni', '1010', 'self'])
  await eventually('VNI 1020 to know it', () => macsOf(1020), (macs) => macs.includes(mac))
  await eventually('VNI 1010 to have forgotten it', () => macsOf(1010), (macs) => !macs.includes(mac))
  await c1.run(['bridge', 'fdb', 'del', mac, 'dev', 'vxlan-svd', 'src_vni', '1020', 'self'])
  await eventually('VNI 1020 to have forgotten it', () => macsOf(1020), (macs) => !macs.includes(mac))
})

await t.test('kill -9 and a restart: the new daemon has nothing to send', async (t) => {
  await daemon.stop('SIGKILL')
  const next = await lab.startDaemon('c1')
  for (const { vni, theirs } of pairs) await eventually(`VNI ${vni} to know its MAC again`, () => macsOf(vni), (macs) => macs.join() === theirs.mac)
  await eventually('the switch to be read back', () => coverage(next), ({ switch_read_backs: readBacks = 0 }) => readBacks > 0)
  const { flow_mods = 0, group_mods = 0, kernel_writes = 0 } = await coverage(next)
  t.same({ flow_mods, group_mods, kernel_writes }, { flow_mods: 0, group_mods: 0, kernel_writes: 0 })
})
