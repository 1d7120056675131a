// Issue 2, point 3: devices may appear, vanish, be renamed or recreated at any time, also while rows stream in, and
// notifications may be lost: in the end ovs-evpnctl and the flows equal what the kernel's tables say.
import t, { type Test } from 'tap'
import { SEED } from '../hostile/input.js'
import { readFileSync } from 'node:fs'
import { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import { Random } from '../walk/random.js'
import { Chassis } from './util/chassis.js'
import { coverage } from './util/daemon-numbers.js'
import { Speaker } from './util/speaker.js'
import { daemonSays, differences, kernelSays, switchSays, type Devices, type KnownInWords } from './util/tables.js'

const VNI = 1000
const DEVICES: Devices = { bridge: 'br-1000', vxlans: ['vxlan-1000'] }
const VTEPS = ['192.0.2.11', '192.0.2.12', '192.0.2.13'] as const
const MAC = '02:aa:00:00:00:01'

const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [VNI] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
const daemon = await lab.startDaemon('c1')

const ip = (...lines: readonly string[]): Promise<string> => c1.run(['ip', '-batch', '-'], { input: lines.join('\n') + '\n' })

const ADD_VXLAN = [
  'link add vxlan-1000 type vxlan id 1000 local 192.0.2.1 dstport 61000 nolearning',
  'link set vxlan-1000 addrgenmode none', 'link set vxlan-1000 master br-1000', 'link set vxlan-1000 up'
] as const
const ADD_BRIDGE = ['link add br-1000 type bridge mcast_snooping 0', 'link set br-1000 addrgenmode none', 'link set br-1000 up'] as const

/** Waits until the daemon and the switch know what the kernel's tables say, and that has as many of each as given. */
async function agree(t: Test, what: string, counts: Partial<Record<keyof KnownInWords, number>> = {}, timeoutMs = 10_000): Promise<KnownInWords> {
  let known: KnownInWords | undefined
  await waitFor(`${what}: ovs-evpnctl and the flows to equal what the kernel's tables say`, async () => {
    const [kernel, told, flows] = await Promise.all([kernelSays(c1, DEVICES), daemonSays(c1, VNI), switchSays(c1, VNI)])
    known = kernel
    const wrong = Object.entries(counts).filter(([kind, count]) => told[kind as keyof KnownInWords].length !== count)
    return [...wrong.map(([kind, count]) => `${count} ${kind} expected`), ...differences(kernel, told, flows)].join('; ') || true
  }, timeoutMs, 20)
  t.pass(`${what}: equal`)
  return known as KnownInWords
}

/** A VTEP, a MAC behind it and an IP. */
async function announce(): Promise<void> {
  await speaker.vtep(VNI, VTEPS[0])
  await speaker.mac(VNI, MAC, VTEPS[0])
  await speaker.ip(VNI, '10.1.1.1', MAC)
}

await t.test('a vxlan device that vanishes takes its VTEPs and MACs along; recreated, it brings what is written to it', async (t) => {
  await announce()
  await agree(t, 'at the start', { vteps: 1, flood: 1, macs: 1, ips: 1 })
  await ip('link del vxlan-1000')
  // The bridge has lost its carrier with its last live port, and with it the kernel drops the bridge's neighbours.
  await agree(t, 'without the device', { vteps: 0, flood: 0, macs: 0, ips: 0 })
  await ip(...ADD_VXLAN)
  await speaker.mac(VNI, MAC, VTEPS[1])
  await speaker.ip(VNI, '10.1.1.1', MAC)
  await agree(t, 'with a new device', { vteps: 1, flood: 0, macs: 1, ips: 1 })
})

await t.test('a bridge that vanishes takes its IPs along; recreated, it brings what is written to it', async (t) => {
  await ip('link del br-1000')
  await agree(t, 'without the bridge', { ips: 0, macs: 1 })
  await ip(...ADD_BRIDGE, 'link set vxlan-1000 master br-1000')
  await speaker.ip(VNI, '10.1.1.2', MAC)
  await agree(t, 'with a new bridge', { ips: 1, macs: 1 })
})

// A vxlan device that goes down loses its MACs in the kernel, but not the VTEPs to flood to; before Linux 6.2 only one that
// is down can be renamed.
await t.test('a vxlan device with another name is not the VNI\'s any more, until it has its name again', async (t) => {
  await speaker.vtep(VNI, VTEPS[1])
  await agree(t, 'before', { vteps: 1, flood: 1, macs: 1 })
  await ip('link set vxlan-1000 down', 'link set vxlan-1000 name other', 'link set other up')
  await agree(t, 'renamed', { vteps: 0, macs: 0 })
  await ip('link set other down', 'link set other name vxlan-1000', 'link set vxlan-1000 up')
  await agree(t, 'renamed back', { vteps: 1, flood: 1, macs: 0 })
})

await t.test('two vxlan devices swap names: the rows of the one that has the name now count', async (t) => {
  await ip('link add spare type vxlan id 1000 local 192.0.2.1 dstport 61001 nolearning', 'link set spare master br-1000', 'link set spare up')
  await speaker.vtep(VNI, VTEPS[2], 'spare')
  const swap = ['vxlan-1000 hand', 'spare vxlan-1000', 'hand spare'].flatMap((names) => {
    const [from, to] = names.split(' ')
    return [`link set ${from} down`, `link set ${from} name ${to}`, `link set ${to} up`]
  })
  for (const vtep of [VTEPS[2], VTEPS[1]]) {
    await ip(...swap)
    await waitFor(`the VTEP of the device that has the name now, ${vtep}`, async () => (await daemonSays(c1, VNI)).flood.join() === `${vtep} 4789`)
    await agree(t, 'swapped', { vteps: 1, flood: 1 })
  }
  await ip('link del spare')
  await speaker.mac(VNI, MAC, VTEPS[1])
})

await t.test('a vxlan device that leaves the bridge keeps its rows, and is warned about until it is back', async (t) => {
  const problem = (there: boolean): Promise<void> => waitFor(`the warning ${there ? 'to stand' : 'to go'}`, async () => {
    const problems = await c1.problems()
    return problems.some((line) => line.includes('vxlan-1000 is not in bridge br-1000')) === there || problems
  })
  await ip('link set vxlan-1000 nomaster')
  await agree(t, 'outside the bridge', { vteps: 1, macs: 1 })
  await problem(true)
  await ip('link set vxlan-1000 master br-1000')
  await agree(t, 'in the bridge', { vteps: 1, macs: 1 })
  await problem(false)
  await speaker.ip(VNI, '10.1.1.3', MAC)
})

await t.test('a bridge that goes down loses its IPs and keeps its MACs; up again, it learns', async (t) => {
  await agree(t, 'before', { ips: 1, macs: 1 })
  await ip('link set br-1000 down')
  await agree(t, 'down', { ips: 0, macs: 1 })
  await ip('link set br-1000 up')
  await speaker.ip(VNI, '10.1.1.3', MAC)
  await agree(t, 'up', { ips: 1, macs: 1 })
})

await t.test('a vxlan device that moves to another network namespace is gone with its rows; back again, its rows as they are now count', async (t) => {
  await speaker.vtep(VNI, VTEPS[2])
  await agree(t, 'before', { flood: 2 })
  await ip('link set vxlan-1000 nomaster', `link set vxlan-1000 netns ${lab.host('underlay').netns}`)
  await agree(t, 'in another namespace', { vteps: 0, macs: 0 })
  // The kernel says nothing of rows that stay on a device while it moves.
  await lab.exec('underlay', ['bridge', 'fdb', 'del', '00:00:00:00:00:00', 'dev', 'vxlan-1000', 'dst', VTEPS[2], 'self'])
  await lab.exec('underlay', ['ip', 'link', 'set', 'vxlan-1000', 'netns', lab.host('c1').netns])
  await ip('link set vxlan-1000 master br-1000', 'link set vxlan-1000 up')
  await agree(t, 'back', { flood: 1 })
})

await t.test('a vxlan device that gets the VNI\'s name but another VNI is not used', async (t) => {
  await speaker.mac(VNI, MAC, VTEPS[0])
  await agree(t, 'before', { macs: 1 })
  await ip('link del vxlan-1000', 'link add vxlan-1000 type vxlan id 999 local 192.0.2.1 dstport 61000 nolearning', 'link set vxlan-1000 up')
  await c1.run(['bridge', 'fdb', 'add', MAC, 'dev', 'vxlan-1000', 'dst', VTEPS[0], 'self', 'dynamic', 'extern_learn'])
  await waitFor('the warning', async () => (await c1.problems()).some((line) => line.includes('vxlan device vxlan-1000 has VNI 999, not 1000')))
  t.same((await daemonSays(c1, VNI)).macs, [])
  await ip('link del vxlan-1000', ...ADD_VXLAN)
})

/** What may happen to the devices; what does not fit their state fails and changes nothing. */
const EVENTS: readonly (readonly string[])[] = [
  ['link del vxlan-1000', ...ADD_VXLAN],
  ['link del br-1000', ...ADD_BRIDGE, 'link set vxlan-1000 master br-1000'],
  ['link set br-1000 down', 'link set br-1000 up'],
  ['link set vxlan-1000 nomaster', 'link set vxlan-1000 master br-1000'],
  ['link set vxlan-1000 down', 'link set vxlan-1000 name other', 'link set other up'],
  ['link set other down', 'link set other name vxlan-1000', 'link set vxlan-1000 up'],
  ADD_VXLAN,
  [...ADD_BRIDGE, 'link set vxlan-1000 master br-1000']
]

function randomMac(random: Random): string {
  return `02:aa:00:00:01:${random.int(16, 215).toString(16)}`
}

function rowCommands(random: Random, count: number): string {
  return Array.from({ length: count }, () => {
    const mac = randomMac(random)
    const vtep = random.pick(VTEPS)
    return random.pick([
      `fdb replace ${mac} dev vxlan-1000 dst ${vtep} self master dynamic extern_learn`,
      `fdb replace ${mac} dev vxlan-1000 dst ${vtep} self dynamic extern_learn`,
      `fdb del ${mac} dev vxlan-1000 self master`,
      `fdb append 00:00:00:00:00:00 dev vxlan-1000 dst ${vtep} self permanent`,
      `fdb del 00:00:00:00:00:00 dev vxlan-1000 dst ${vtep} self`,
      `fdb replace ${mac} dev lo-1000 master static`,
      `fdb del ${mac} dev lo-1000 master`
    ])
  }).join('\n') + '\n'
}

function neighbourCommands(random: Random, count: number): string {
  return Array.from({ length: count }, () => {
    const [address, mac] = [`10.1.2.${random.int(0, 99)}`, randomMac(random)]
    return random.pick([
      `neigh replace ${address} lladdr ${mac} dev br-1000 nud noarp extern_learn protocol zebra`,
      `neigh replace fd00::${address.slice(7)} lladdr ${mac} dev br-1000 nud noarp extern_learn router`,
      `neigh del ${address} dev br-1000`
    ])
  }).join('\n') + '\n'
}

await t.test(`devices change at random while rows stream in, again and again (OVS_EVPN_SEED=${SEED})`, async (t) => {
  const random = new Random(SEED)
  await c1.set('Bridge br-int', { 'dynamic-routing-advertise-ifname': 'none' }) // so that rows on lo-1000 are another program's
  const happened: string[] = []
  let compared = 0
  const allow = { allowFailure: true }
  for (let round = 0; round < 8; round++) {
    const events = Array.from({ length: 4 }, () => random.pick(EVENTS))
    happened.push(...events.map((lines) => lines.join(' ; ')))
    await Promise.all([
      c1.run(['bridge', '-force', '-batch', '-'], { input: rowCommands(random, 4000), ...allow }),
      c1.run(['ip', '-force', '-batch', '-'], { input: neighbourCommands(random, 500), ...allow }),
      c1.run(['ip', '-force', '-batch', '-'], { input: events.flat().join('\n') + '\n', ...allow })
    ])
    const known = await agree(t, `round ${round}`).catch((error: Error) => {
      throw new Error(`${error.message}\nseed ${SEED}, events:\n${happened.join('\n')}`)
    })
    compared += known.macs.length + known.flood.length + known.ips.length
  }
  await c1.run(['ip', '-force', '-batch', '-'], { input: 'link del other\nlink del vxlan-1000\nlink del br-1000\n', ...allow })
  await ip(...ADD_BRIDGE, ...ADD_VXLAN, 'link set lo-1000 master br-1000')
  await announce()
  await agree(t, 'with all devices there', { macs: 1, flood: 1, ips: 1 })
  t.comment(`${compared} MACs, VTEPs and IPs compared`)
})

await t.test('notifications that the kernel drops are noticed, and what they said is learned all the same', async (t) => {
  await ip('link add busy type vxlan id 7 local 192.0.2.1 dstport 60007 nolearning', 'link set busy up')
  const before = await coverage(daemon)
  const late = '02:aa:00:00:00:99'
  process.kill(daemon.pid, 'SIGSTOP')
  try {
    // A change of alias is a notification of 4 kB in a buffer of 256 MiB.
    const noise = Array.from({ length: 10_000 }, (_, i) => `link set busy alias ${'x'.repeat(200)}${i % 2}`)
    await waitFor('the kernel to drop notifications', async () => {
      await ip(...noise)
      return droppedMessages() > 0 || 'none dropped yet'
    }, 60_000, 1)
    await speaker.mac(VNI, late, VTEPS[0])
    await speaker.noMac(VNI, MAC)
  } finally {
    process.kill(daemon.pid, 'SIGCONT')
  }
  await waitFor('the flow of the MAC whose notification was dropped', async () =>
    (await switchSays(c1, VNI)).macs.includes(`${late} via ${VTEPS[0]} 4789`))
  await agree(t, 'after the overrun')
  t.notOk((await daemonSays(c1, VNI)).macs.some((line) => line.startsWith(MAC)), 'the MAC withdrawn meanwhile is gone')
  const after = await coverage(daemon)
  t.equal((after['netlink_overruns'] ?? 0) - (before['netlink_overruns'] ?? 0), 1, 'coverage/show counts the overrun')
  t.match(daemon.log(), /the kernel dropped notifications/, 'the log says it')
})

/**
 * Messages the kernel has dropped on the daemon's socket for notifications (proc(5), net/netlink: the port id in the third column
 * of the first socket a process opens is its pid, the drops are in the ninth).
 */
function droppedMessages(): number {
  const rows = readFileSync(`/proc/${daemon.pid}/net/netlink`, 'utf8').split('\n').map((line) => line.trim().split(/\s+/))
  const row = rows.find(([, protocol, portId]) => protocol === '0' && portId === String(daemon.pid))
  if (row === undefined) throw new Error('the daemon has no netlink socket')
  return Number(row[8])
}
