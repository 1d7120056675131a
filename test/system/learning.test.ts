// Issue 2, point 3: remote VTEPs, MACs and IPs are learned from the kernel's tables as FRR writes them, in memory only.
import t, { type Test } from 'tap'
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import { Chassis } from './util/chassis.js'
import { evpnctl } from './util/evpnctl.js'
import { Speaker } from './util/speaker.js'
import { daemonSays, differences, kernelSays, switchSays, type Devices, type KnownInWords } from './util/tables.js'

const VNI = 1000
// A vxlan device with an IPv4 `local` takes no IPv6 remote (kernel: EAFNOSUPPORT), so dual-stack VNIs have two devices.
const DEVICES: Devices = { bridge: 'br-1000', vxlans: ['vxlan-1000', 'vx6-1000'] }
const VTEP = { a: '192.0.2.11', b: '192.0.2.12', six: '2001:db8:0:2::11' } as const
const MAC = '02:aa:00:00:00:01'

const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [VNI] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
await c1.run(['ip', '-batch', '-'], { input: [
  'link add vx6-1000 type vxlan id 1000 local 2001:db8::1 dstport 61001 nolearning',
  'link set vx6-1000 master br-1000',
  'link set vx6-1000 up'
].join('\n') })
await c1.set('Bridge br-int', { 'dynamic-routing-vxlan-ifname-1000': 'vxlan-1000,vx6-1000' })
await c1.set('Open_vSwitch .', { 'ovn-evpn-vxlan-ports': '4789,4790' })
const files = filesOf()
const daemon = await lab.startDaemon('c1')

/** Waits until the daemon knows exactly this, and the kernel's tables, ovs-evpnctl and the flows say the same. */
async function learned(t: Test, what: string, expected: Partial<KnownInWords>): Promise<void> {
  await waitFor(what, async () => {
    const [kernel, told, flows] = await Promise.all([kernelSays(c1, DEVICES), daemonSays(c1, VNI), switchSays(c1, VNI)])
    const other = differences({ ...kernel, ...expected }, told, flows).join('; ')
    return other || differences(kernel, told, flows).join('; ') || true
  }, 10_000, 20)
  t.pass(`${what}: known, and in the flows`)
}

await t.test('nothing announced, nothing known', (t) => learned(t, 'an empty fabric', { vteps: [], macs: [], ips: [] }))

await t.test('a VTEP announced for flooding is known until it is withdrawn', async (t) => {
  await speaker.vtep(VNI, VTEP.a)
  await learned(t, 'the VTEP', { vteps: [`${VTEP.a} 4789`], flood: [`${VTEP.a} 4789`] })
  await speaker.vtep(VNI, VTEP.b)
  await learned(t, 'the second VTEP beside the first', { flood: [`${VTEP.a} 4789`, `${VTEP.b} 4789`] })
  await speaker.noVtep(VNI, VTEP.a)
  await learned(t, 'the second VTEP alone', { vteps: [`${VTEP.b} 4789`], flood: [`${VTEP.b} 4789`] })
  await speaker.noVtep(VNI, VTEP.b)
  await learned(t, 'no VTEP', { vteps: [], flood: [] })
})

await t.test('a VTEP may have an IPv6 address', async (t) => {
  await speaker.vtep(VNI, VTEP.six, 'vx6-1000')
  await speaker.mac(VNI, MAC, VTEP.six, 'vx6-1000')
  await learned(t, 'the IPv6 VTEP', { flood: [`${VTEP.six} 4789`], macs: [`${MAC} via ${VTEP.six} 4789`] })
  await speaker.noMac(VNI, MAC, 'vx6-1000')
  await speaker.noVtep(VNI, VTEP.six, 'vx6-1000')
  await learned(t, 'no VTEP', { vteps: [], macs: [] })
})

await t.test('a row with a UDP port is another VTEP than one without', async (t) => {
  await speaker.vtep(VNI, VTEP.a)
  await speaker.vtep(VNI, VTEP.a, 'vxlan-1000', 'port', '4790')
  await learned(t, 'two VTEPs on one address', { flood: [`${VTEP.a} 4789`, `${VTEP.a} 4790`] })
  await speaker.noVtep(VNI, VTEP.a)
  await learned(t, 'the one on UDP port 4790', { vteps: [`${VTEP.a} 4790`] })
  await speaker.noVtep(VNI, VTEP.a, 'vxlan-1000', 'port', '4790')
})

await t.test('a MAC makes its VTEP known, but not one to flood to', async (t) => {
  await speaker.mac(VNI, MAC, VTEP.a)
  await learned(t, 'the MAC', { vteps: [`${VTEP.a} 4789`], flood: [], macs: [`${MAC} via ${VTEP.a} 4789`] })
  await speaker.mac(VNI, MAC, VTEP.b)
  await learned(t, 'the MAC behind the other VTEP', { vteps: [`${VTEP.b} 4789`], macs: [`${MAC} via ${VTEP.b} 4789`] })
  await speaker.noMac(VNI, MAC)
  await learned(t, 'no MAC', { vteps: [], macs: [] })
})

await t.test('a MAC with a row of the vxlan device only is known: some speakers write no more', async (t) => {
  await c1.run(['bridge', 'fdb', 'add', MAC, 'dev', 'vxlan-1000', 'dst', VTEP.a, 'self', 'dynamic', 'extern_learn'])
  await learned(t, 'the MAC', { macs: [`${MAC} via ${VTEP.a} 4789`] })
  await c1.run(['bridge', 'fdb', 'del', MAC, 'dev', 'vxlan-1000', 'self'])
  await learned(t, 'no MAC', { macs: [] })
})

await t.test('a sticky MAC is known without EXT_LEARNED, as FRR writes it', async (t) => {
  await c1.run(['bridge', 'fdb', 'add', MAC, 'dev', 'vxlan-1000', 'dst', VTEP.a, 'self', 'static', 'sticky'])
  await c1.run(['bridge', 'fdb', 'replace', MAC, 'dev', 'vxlan-1000', 'master', 'static', 'sticky'])
  await learned(t, 'the sticky MAC', { macs: [`${MAC} via ${VTEP.a} 4789`], sticky: [MAC] })
  await speaker.mac(VNI, MAC, VTEP.a)
  await speaker.noMac(VNI, MAC)
  await learned(t, 'no MAC', { macs: [] })
})

await t.test('a row nobody announced is no remote MAC', async (t) => {
  await c1.run(['bridge', 'fdb', 'add', '02:bb:00:00:00:01', 'dev', 'vxlan-1000', 'dst', VTEP.b, 'self', 'static'])
  await speaker.mac(VNI, MAC, VTEP.a)
  await learned(t, 'the announced MAC alone', { macs: [`${MAC} via ${VTEP.a} 4789`], vteps: [`${VTEP.a} 4789`] })
  await c1.run(['bridge', 'fdb', 'del', '02:bb:00:00:00:01', 'dev', 'vxlan-1000', 'dst', VTEP.b, 'self'])
})

await t.test('a row of the bridge on a port that is no vxlan device makes a MAC local, whatever the vxlan device says', async (t) => {
  await c1.run(['ip', 'link', 'add', 'tap0', 'master', 'br-1000', 'type', 'veth', 'peer', 'name', 'tap0p'])
  await c1.run(['bridge', 'fdb', 'replace', MAC, 'dev', 'tap0', 'master', 'static'])
  await learned(t, 'no remote MAC', { macs: [], vteps: [`${VTEP.a} 4789`] })
  await c1.run(['bridge', 'fdb', 'del', MAC, 'dev', 'tap0', 'master'])
  await learned(t, 'the remote MAC again', { macs: [`${MAC} via ${VTEP.a} 4789`] })
  await c1.run(['bridge', 'fdb', 'replace', MAC, 'dev', 'tap0', 'master', 'static'])
  await learned(t, 'no remote MAC', { macs: [] })
  await c1.run(['ip', 'link', 'del', 'tap0'])
  await learned(t, 'the remote MAC when the port is gone', { macs: [`${MAC} via ${VTEP.a} 4789`] })
})

await t.test('IPs are learned from neighbours, IPv4 and IPv6, with the R flag of a router', async (t) => {
  await speaker.ip(VNI, '10.1.1.1', MAC)
  await c1.run(['ip', 'neigh', 'replace', 'fd00::99', 'lladdr', MAC, 'dev', 'br-1000', 'nud', 'noarp', 'extern_learn', 'router'])
  await learned(t, 'both IPs', { ips: [`10.1.1.1 at ${MAC}`, `fd00::99 at ${MAC} router`] })
  await speaker.ip(VNI, '10.1.1.1', '02:aa:00:00:00:02')
  await learned(t, 'the IP at its other MAC', { ips: ['10.1.1.1 at 02:aa:00:00:00:02', `fd00::99 at ${MAC} router`] })
  await speaker.noIp(VNI, '10.1.1.1')
  await learned(t, 'one IP', { ips: [`fd00::99 at ${MAC} router`] })
})

await t.test('a neighbour nobody announced is no remote IP', async (t) => {
  await c1.run(['ip', 'neigh', 'replace', '10.1.1.3', 'lladdr', MAC, 'dev', 'br-1000', 'nud', 'permanent'])
  await speaker.ip(VNI, '10.1.1.2', MAC)
  await learned(t, 'the announced IPs', { ips: [`10.1.1.2 at ${MAC}`, `fd00::99 at ${MAC} router`] })
})

await t.test('another VNI\'s rows are another VNI\'s', async (t) => {
  await lab.addVniDevices('c1', 2000)
  await c1.set('Interface c1-1000-b', { 'dynamic-routing-vni': '2000' })
  await speaker.mac(2000, MAC, VTEP.b)
  await waitFor('the MAC in VNI 2000', async () => (await daemonSays(c1, 2000)).macs.length === 1)
  t.same((await daemonSays(c1, 2000)).macs, [`${MAC} via ${VTEP.b} 4789`])
  await learned(t, 'VNI 1000 as it was', { macs: [`${MAC} via ${VTEP.a} 4789`] })
  const other = { bridge: 'br-2000', vxlans: ['vxlan-2000'] }
  await waitFor('the flows of VNI 2000', async () => (await switchSays(c1, 2000)).macs.length === 1)
  t.same(differences(await kernelSays(c1, other), await daemonSays(c1, 2000), await switchSays(c1, 2000)), [])
})

await t.test('what is learned is in memory only: no file but pidfile, log and control socket', async (t) => {
  t.match(await evpnctl(lab, 'c1', ['macs', '--vni', String(VNI)]), { stdout: MAC }, 'something is learned')
  const added = filesOf().filter((name) => !files.includes(name))
  t.same(added, ['br-int.snoop', `ovs-evpnd.${daemon.pid}.ctl`, 'ovs-evpnd.log', 'ovs-evpnd.out', 'ovs-evpnd.pid'].filter((name) => added.includes(name)))
  t.same(openFiles(daemon.pid).filter((path) => !/\/(ovs-evpnd\.(log|out|pid)|.*\.node|null)$/.test(path)), [], 'files the daemon holds open')
})

/** Files in the directory the daemon may write to. */
function filesOf(): string[] {
  return readdirSync(lab.host('c1').dir).sort()
}

/** Regular files a process holds open for writing. */
function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    const path = readlinkSync(`/proc/${pid}/fd/${fd}`)
    const flags = parseInt(/flags:\s+([0-7]+)/.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0', 8)
    return path.startsWith('/') && (flags & 3) !== 0 && statSync(`/proc/${pid}/fd/${fd}`).isFile() ? [path] : []
  })
}
