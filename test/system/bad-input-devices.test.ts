// Kernel devices of a VNI that are missing or wrong: said by name, the VNI's other half works, other VNIs notice nothing,
// and it heals by itself when the device is as it should be.
import t from 'tap'
import type { MacReport } from '../../lib/daemon/report/report.js'
import { Lab } from '../lab/lab.js'
import { announces } from './util/announced.js'
import { Chassis } from './util/chassis.js'
import { eventually } from './util/eventually.js'
import { noLonger, warned, warnings } from './util/log.js'
import { Speaker } from './util/speaker.js'
import { rowsOf, workload } from './util/workload.js'

const [w10, w20] = [workload('w10', 10, 1), workload('w20', 20, 2)]
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [10, 20], workloads: [w10, w20] })
t.teardown(() => lab.down())
const chassis = new Chassis(lab)
const speaker = new Speaker(chassis)
const daemon = await lab.startDaemon('c1')
const REMOTE = '02:00:00:00:09:01'

const ip = (...commands: readonly string[]) => chassis.run(['ip', '-batch', '-'], { input: commands.join('\n') + '\n' })

/** The remote MAC of VNI 10 as the speaker writes it when its device is there. */
async function speak(device = 'vxlan-10'): Promise<void> {
  await speaker.vtep(10, '192.0.2.9', device)
  await speaker.mac(10, REMOTE, '192.0.2.9', device)
}

const hears = (why: string, known: boolean) => eventually(`VNI 10 ${known ? 'to know' : 'not to know'} the remote MAC (${why})`,
  async () => (await chassis.report<MacReport[]>('macs', 10)).map(({ mac, state }) => `${mac} ${state}`), (macs) => macs.join() === (known ? `${REMOTE} ok` : ''))

/** Everything of VNI 20 that a packet could notice, and its rows. */
async function everythingOf20(): Promise<string[]> {
  const flows = await chassis.ourFlows()
  const groups = (await chassis.groups()).filter((group) => group.includes('192.0.2.20'))
  return [...flows.filter((flow) => /=0x14[ ,]|in_port=w20|tun_id=0x14/.test(flow)), ...groups].sort()
}

/** The half that listens does so, the half that announces does so, or they do not. */
interface Halves {
  readonly hears: boolean
  readonly announces: readonly string[]
}

const WHOLE: Halves = { hears: true, announces: rowsOf(w10) }

async function works(why: string, halves: Halves): Promise<void> {
  await hears(why, halves.hears)
  await announces(chassis, why, [...halves.announces, ...rowsOf(w20)])
}

interface Case {
  readonly name: string
  readonly spoil: () => Promise<unknown>
  /** Says what is wrong, by the device's name. */
  readonly problem: string
  readonly halves: Halves
  readonly mend: () => Promise<unknown>
}

const NEW_VXLAN = (name: string, id = 10) => [
  `link add name ${name} type vxlan id ${id} local 192.0.2.1 dstport 60010 nolearning`, `link set ${name} master br-10`, `link set ${name} addrgenmode none`,
  `link set ${name} type bridge_slave learning off`, `link set ${name} up`
]
const NEW_ADVERTISE = [
  'link add name lo-10 type veth peer name lop-10', 'link set lo-10 master br-10', 'link set lo-10 type bridge_slave learning off',
  'link set lo-10 addrgenmode none', 'link set lo-10 up'
]
const onlyAnnounces: Halves = { hears: false, announces: rowsOf(w10) }
const onlyHears: Halves = { hears: true, announces: [] }

const cases: readonly Case[] = [
  {
    name: 'the vxlan device is missing', problem: 'VNI 10: vxlan device vxlan-10 does not exist', halves: onlyAnnounces,
    spoil: () => ip('link del vxlan-10'), mend: async () => { await ip(...NEW_VXLAN('vxlan-10')); await speak() }
  },
  {
    name: 'the vxlan device is of another VNI', problem: 'VNI 10: vxlan device vxlan-10 has VNI 11, not 10', halves: onlyAnnounces,
    spoil: async () => { await ip('link del vxlan-10', ...NEW_VXLAN('vxlan-10', 11)); await speak() },
    mend: async () => { await ip('link del vxlan-10', ...NEW_VXLAN('vxlan-10')); await speak() }
  },
  {
    name: 'the vxlan device is no vxlan device', problem: 'VNI 10: vxlan-10 is no vxlan device', halves: onlyAnnounces,
    spoil: () => ip('link del vxlan-10', 'link add name vxlan-10 type bridge'),
    mend: async () => { await ip('link del vxlan-10', ...NEW_VXLAN('vxlan-10')); await speak() }
  },
  {
    name: 'the vxlan device learns', problem: 'VNI 10: vxlan device vxlan-10 has learning on; set it with: ip link set vxlan-10 type vxlan nolearning', halves: WHOLE,
    spoil: () => ip('link set vxlan-10 type vxlan learning'), mend: () => ip('link set vxlan-10 type vxlan nolearning')
  },
  {
    name: 'the vxlan device is not in the bridge', problem: 'VNI 10: vxlan device vxlan-10 is not in bridge br-10', halves: WHOLE,
    spoil: () => ip('link set vxlan-10 nomaster'), mend: async () => { await ip('link set vxlan-10 master br-10'); await speaker.mac(10, REMOTE, '192.0.2.9') }
  },
  {
    name: 'the advertise device is missing', problem: 'VNI 10: advertise device lo-10 does not exist', halves: onlyHears,
    spoil: () => ip('link del lo-10'), mend: () => ip(...NEW_ADVERTISE)
  },
  {
    name: 'the advertise device is not in the bridge', problem: 'VNI 10: advertise device lo-10 is not in bridge br-10', halves: onlyHears,
    spoil: () => ip('link set lo-10 nomaster'), mend: () => ip('link set lo-10 master br-10')
  },
  {
    name: 'the kernel bridge is missing', problem: 'VNI 10: bridge br-10 does not exist', halves: onlyHears,
    spoil: () => ip('link del br-10'),
    mend: () => ip('link add name br-10 type bridge', 'link set br-10 addrgenmode none', 'link set br-10 up', 'link set lo-10 master br-10', 'link set vxlan-10 master br-10')
  },
  {
    name: 'the kernel bridge is no bridge', problem: 'VNI 10: br-10 is no bridge', halves: onlyHears,
    spoil: () => ip('link del br-10', 'link add name br-10 type veth peer name brp-10'),
    mend: () => ip('link del br-10', 'link add name br-10 type bridge', 'link set br-10 addrgenmode none', 'link set br-10 up', 'link set lo-10 master br-10', 'link set vxlan-10 master br-10')
  }
]

await speaker.vtep(20, '192.0.2.20')
await speaker.mac(20, '02:00:00:00:09:20', '192.0.2.20')
await speak()
await works('at first', WHOLE)
const of20 = await everythingOf20()

for (const { name, spoil, problem, halves, mend } of cases) {
  await t.test(`${name}: said by name, the other half works, another VNI notices nothing, and it heals`, async (t) => {
    const before = warnings(daemon).filter((line) => line === problem).length
    await spoil()
    await eventually(`a warning: ${problem}`, () => warnings(daemon).filter((line) => line === problem).length, (count) => count > before)
    await works(name, halves)
    const [row] = (await chassis.report<{ vnis: { vni: number, problems: string[] }[] }>('show')).vnis
    t.same(row?.problems.map((text) => `VNI 10: ${text}`), [problem], '`ovs-evpnctl show` has it, and nothing else')
    t.same(await everythingOf20(), of20, 'flows, groups of VNI 20 are as they were')
    await mend()
    await noLonger(daemon, problem)
    await works('mended', WHOLE)
    t.same(await everythingOf20(), of20, 'flows, groups of VNI 20 are as they were')
    t.same((await chassis.problems()).filter((line) => line.includes('VNI')), [], 'no problem is left')
  })
}

await t.test('while a device is missing, the rest of the configuration takes effect', async (t) => {
  t.teardown(() => chassis.set('Interface w10', { 'evpn-addresses': `${w10.mac} 10.0.0.1 fd00::1` }))
  await ip('link del vxlan-10')
  await hears('no vxlan device', false)
  await chassis.set('Interface w10', { 'evpn-addresses': `${w10.mac} 10.0.0.3` })
  await announces(chassis, 'a new address without vxlan device', [`${w10.mac} lo-10`, `10.0.0.3 ${w10.mac} br-10`, ...rowsOf(w20)])
  await ip(...NEW_VXLAN('vxlan-10'))
  await speak()
  await hears('the vxlan device is back', true)
})

await t.test('a vxlan device that is renamed into place is taken up with its rows', async () => {
  await ip('link del vxlan-10', ...NEW_VXLAN('made-early'))
  await speak('made-early')
  await hears('it has another name', false)
  await ip('link set made-early down', 'link set made-early name vxlan-10', 'link set vxlan-10 up')
  // A vxlan device that goes down forgets its unicast rows, and keeps the one of the VTEP.
  await speaker.mac(10, REMOTE, '192.0.2.9')
  await works('it was renamed', WHOLE)
  await ip('link set vxlan-10 down', 'link set vxlan-10 name put-away')
  await hears('it was renamed away', false)
  await ip('link set put-away name vxlan-10', 'link set vxlan-10 up')
  await speaker.mac(10, REMOTE, '192.0.2.9')
  await works('it was renamed back', WHOLE)
})

await t.test('devices that are recreated at once, with new numbers, are taken up', async () => {
  for (const device of ['vxlan-10', 'lo-10']) {
    await ip(`link del ${device}`, ...(device === 'lo-10' ? NEW_ADVERTISE : NEW_VXLAN(device)))
    if (device === 'vxlan-10') await speak()
    await works(`${device} was recreated`, WHOLE)
  }
  await lab.removeVniDevices('c1', 10)
  await lab.addVniDevices('c1', 10)
  await speak()
  await works('all devices were recreated', WHOLE)
})

await t.test('a VNI is configured before any of its devices exists', async (t) => {
  t.teardown(() => chassis.unset('Bridge br-int', 'evpn-addresses-30'))
  await chassis.set('Bridge br-int', { 'evpn-addresses-30': '02:00:00:00:30:01 10.0.30.1' })
  for (const device of ['bridge br-30', 'vxlan device vxlan-30', 'advertise device lo-30']) t.equal(await warned(daemon, `VNI 30: ${device} does not exist`), 1, device)
  await lab.addVniDevices('c1', 30)
  await announces(chassis, 'the devices of VNI 30 came', [...rowsOf(w10), ...rowsOf(w20), '02:00:00:00:30:01 lo-30', '10.0.30.1 02:00:00:00:30:01 br-30'])
  await noLonger(daemon, 'VNI 30: vxlan device vxlan-30 does not exist')
})

await t.test('through all of this, nothing was warned about but the devices', (t) => {
  // Of the beginning: while ovs-vswitchd makes the bridge it may close the first connection.
  t.same(warnings(daemon).filter((line) => !/^VNI [13]0: |^cannot connect to .*br-int\.mgmt/.test(line)), [])
  t.end()
})
