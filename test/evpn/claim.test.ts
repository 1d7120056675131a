// Claims: when a local address is announced, by which kernel rows, and why not.
import t from 'tap'
import { deriveClaim, type Claim } from '../../lib/evpn/claim.js'
import type { LocalMac } from '../../lib/evpn/local.js'
import { NTF, NUD, type LinkRow, type NeighRow } from '../../lib/netlink/index.js'
import { neighbour, onPort, remoteMac } from '../mirror/rows.js'
import { ADVERTISE, ADVERTISE_LINK, BRIDGE, BRIDGE_LINK, DEVICES, domainOf, fdbOf, neighboursOf, OTHER_PORT, VXLAN, vxlan } from './world.js'

const MAC = '02:00:00:00:00:01'
const OTHER = '02:00:00:00:00:02'
const IPS = ['10.0.0.1', '2001:db8::1']

interface Case {
  readonly devices?: readonly LinkRow[]
  readonly bridge?: Record<string, string>
  readonly local?: Partial<LocalMac>
  readonly fdb?: readonly NeighRow[]
  readonly neighbours?: readonly NeighRow[]
  readonly portProblem?: string
  /** Rows that the MAC was seen here after. */
  readonly outdated?: readonly NeighRow[]
  readonly wasHeld?: boolean
  readonly pause?: number
}

function claim({ devices = DEVICES, bridge = {}, local = {}, fdb = [], neighbours = [], portProblem, outdated = [], wasHeld = false, pause }: Case): Claim {
  const evidence = { isOutdated: (row: NeighRow) => outdated.includes(row), wasHeld: () => wasHeld, pauseOf: () => pause }
  return deriveClaim(domainOf(devices, { bridge }), { vni: 1000, mac: MAC, port: 'vm1', ips: IPS, advertise: true, ...local }, {
    fdb: fdbOf(...fdb), neighbours: neighboursOf(...neighbours), evidence, portProblem: (port) => (port === 'vm1' ? portProblem : undefined)
  })
}

const ALL = { state: 'advertised', reason: undefined, fdb: { ifindex: ADVERTISE, vlan: 0 }, svi: BRIDGE, ips: IPS, witness: false }
const NOTHING = { fdb: undefined, svi: undefined, ips: [] }
const MAC_ONLY = { state: 'advertised', fdb: { ifindex: ADVERTISE, vlan: 0 }, svi: undefined, ips: [] }

const ELSEWHERE = 'another chassis announces this MAC'
/** Both halves of what FRR writes. */
const THEIRS = [remoteMac(VXLAN, MAC, '192.0.2.2'), onPort(BRIDGE, VXLAN, MAC, { flags: NTF.EXT_LEARNED })] as const
const [THEIR_DEVICE_ROW, THEIR_BRIDGE_ROW] = THEIRS
const THEIR_NEIGHBOUR = neighbour(BRIDGE, '10.0.0.1', MAC)

const CASES: readonly (readonly [rule: string, given: Case, wanted: object])[] = [
  ['the FDB row on the advertise device, the neighbours on the bridge', {}, ALL],
  ['our rows standing already: the same', {
    fdb: [onPort(BRIDGE, ADVERTISE, MAC, { state: NUD.NOARP })], neighbours: [neighbour(BRIDGE, '10.0.0.1', MAC, { protocol: 85, flags: 0 })]
  }, ALL],
  ['our row with flags that linger from a claim that went: the same', {
    fdb: [onPort(BRIDGE, ADVERTISE, MAC, { state: NUD.NOARP, flags: NTF.EXT_LEARNED })]
  }, ALL],
  ['the vxlan row that FRR leaves behind after a move to us is no claim', {
    fdb: [onPort(BRIDGE, ADVERTISE, MAC, { state: NUD.NOARP }), remoteMac(VXLAN, MAC, '192.0.2.2')]
  }, ALL],
  ['a MAC without IPs', { local: { ips: [] } }, { ...MAC_ONLY, reason: undefined }],
  ['an address without a port needs none to be up', { local: { port: undefined }, portProblem: 'no port' }, ALL],

  ['redistribute fdb: the MAC alone', { bridge: { 'dynamic-routing-redistribute': 'fdb' } }, { ...MAC_ONLY, reason: undefined }],
  ['redistribute ip: the FDB row with it, or zebra keeps the neighbour inactive', { bridge: { 'dynamic-routing-redistribute': 'ip' } }, ALL],
  ['redistribute ip: a MAC without IPs is not announced', { bridge: { 'dynamic-routing-redistribute': 'ip' }, local: { ips: [] } },
    { state: 'local', reason: 'not in dynamic-routing-redistribute', ...NOTHING }],
  ['redistribute none: nothing', { bridge: { 'dynamic-routing-redistribute': 'none' } }, { state: 'local', reason: 'not in dynamic-routing-redistribute', ...NOTHING }],
  ["redistribute none for this VNI, whatever the others do", { bridge: { 'dynamic-routing-redistribute': 'fdb,ip', 'dynamic-routing-redistribute-1000': 'none' } },
    { state: 'local', ...NOTHING }],
  ['redistribute none for another VNI', { bridge: { 'dynamic-routing-redistribute-2000': 'none' } }, ALL],

  ['dynamic-routing-advertise=false', { local: { advertise: false } }, { state: 'local', reason: 'dynamic-routing-advertise is false', ...NOTHING }],
  ['a port that cannot carry traffic', { portProblem: 'Open vSwitch could not make the port' },
    { state: 'local', reason: 'Open vSwitch could not make the port', ...NOTHING }],
  ['no advertise device', { devices: [BRIDGE_LINK, vxlan()] }, { state: 'local', reason: 'no usable advertise device lo-1000', ...NOTHING }],
  ['no bridge', { devices: [vxlan(), ADVERTISE_LINK] }, { state: 'local', reason: 'no usable advertise device lo-1000', ...NOTHING }],
  ['a bridge that is down has no neighbours: the MAC alone', { devices: [{ ...BRIDGE_LINK, flags: 0 }, vxlan(), ADVERTISE_LINK] }, MAC_ONLY],

  ['somebody else announces the MAC: waiting, nothing is written, and the port is watched', { fdb: THEIRS },
    { state: 'waiting', reason: `${ELSEWHERE}; waiting for a frame from the port`, ...NOTHING, witness: true }],
  ["the device's half of a claim is enough", { fdb: [THEIR_DEVICE_ROW] }, { state: 'waiting', ...NOTHING, witness: true }],
  ["the bridge's half of a claim is enough to wait: the other half is on its way", { fdb: [THEIR_BRIDGE_ROW] },
    { state: 'waiting', ...NOTHING, witness: true }],
  ['it was ours before: contested', { fdb: THEIRS, wasHeld: true },
    { state: 'contested', reason: `${ELSEWHERE}; waiting for a frame from the port`, ...NOTHING, witness: true }],
  ['claimed against them a moment ago: the port is not watched for a while', { fdb: THEIRS, wasHeld: true, pause: 4 },
    { state: 'contested', reason: `${ELSEWHERE}; claimed against it lately, pausing for 4 s`, ...NOTHING, witness: false }],
  ['a sticky claim: it may not move, whatever the port sends', { fdb: [remoteMac(VXLAN, MAC, '192.0.2.2', { flags: NTF.SELF | NTF.STICKY })] },
    { state: 'waiting', reason: `${ELSEWHERE}; it is sticky there and may not move`, ...NOTHING, witness: false }],
  ['an address without a port cannot be seen: only their withdrawal helps', { fdb: THEIRS, local: { port: undefined } },
    { state: 'waiting', reason: `${ELSEWHERE}; waiting for it to withdraw`, ...NOTHING, witness: false }],
  ['waiting comes before every other reason: traffic follows the claim; what we would not announce is not watched for', {
    fdb: THEIRS, portProblem: 'Open vSwitch has not made the port yet'
  }, { state: 'waiting', reason: `${ELSEWHERE}; Open vSwitch has not made the port yet`, ...NOTHING, witness: false }],
  ['redistribute none while others announce it', { fdb: THEIRS, bridge: { 'dynamic-routing-redistribute': 'none' } },
    { state: 'waiting', reason: `${ELSEWHERE}; not in dynamic-routing-redistribute`, ...NOTHING, witness: false }],

  ['seen here after all rows of their claim: ours', { fdb: THEIRS, outdated: THEIRS }, ALL],
  ['seen here, but the bridge has a newer row of theirs: their claim stands', { fdb: THEIRS, outdated: [THEIR_DEVICE_ROW] }, { state: 'waiting', ...NOTHING }],
  ['seen here, but it moved to another VTEP since: their claim stands', { fdb: THEIRS, outdated: [THEIR_BRIDGE_ROW] }, { state: 'waiting', ...NOTHING }],
  ['seen here while a pause lasts: what was seen counts, the pause is for the next claim', { fdb: THEIRS, outdated: THEIRS, pause: 1 }, ALL],
  ['the device row FRR left behind when the MAC came to us, and our row went with the port for a while: ours again',
    { fdb: [THEIR_DEVICE_ROW], outdated: [THEIR_DEVICE_ROW] }, ALL],
  ['what was seen does not make us announce what we would not', { fdb: THEIRS, outdated: THEIRS, local: { advertise: false } },
    { state: 'waiting', reason: `${ELSEWHERE}; dynamic-routing-advertise is false`, ...NOTHING }],
  ['seen here: the neighbour that belongs to their claim on the MAC is outdated with it', {
    fdb: THEIRS, neighbours: [THEIR_NEIGHBOUR], outdated: [...THEIRS, THEIR_NEIGHBOUR]
  }, ALL],
  ['seen here, but the IP is announced anew: the MAC alone moves', { fdb: THEIRS, neighbours: [THEIR_NEIGHBOUR], outdated: THEIRS },
    { ...ALL, ips: ['2001:db8::1'], reason: "another owner's neighbour stands for 10.0.0.1" }],
  ["somebody's claim on another MAC does not matter", { fdb: [remoteMac(VXLAN, OTHER, '192.0.2.2')] }, ALL],

  ["the MAC on another port of the bridge is another program's: not touched", { fdb: [onPort(BRIDGE, OTHER_PORT, MAC, { state: NUD.NOARP })] },
    { state: 'local', reason: `the kernel bridge has this MAC on another port (ifindex ${OTHER_PORT})`, ...NOTHING }],
  ["a speaker's neighbour stands for one IP: the others are announced", { neighbours: [neighbour(BRIDGE, '10.0.0.1', OTHER)] },
    { ...ALL, ips: ['2001:db8::1'], reason: "another owner's neighbour stands for 10.0.0.1" }],
  ["an operator's permanent neighbour is as foreign", { neighbours: [neighbour(BRIDGE, '10.0.0.1', OTHER, { flags: 0, state: NUD.PERMANENT, protocol: 4 })] },
    { ...ALL, ips: ['2001:db8::1'], reason: "another owner's neighbour stands for 10.0.0.1" }],
  ['foreign neighbours for all IPs: the MAC alone', { neighbours: IPS.map((ip) => neighbour(BRIDGE, ip, OTHER)) },
    { ...MAC_ONLY, reason: "another owner's neighbour stands for 10.0.0.1 2001:db8::1" }],
  ['what the kernel resolved by itself may be replaced', { neighbours: [neighbour(BRIDGE, '10.0.0.1', OTHER, { flags: 0, state: NUD.STALE, protocol: 0 })] }, ALL],
  ['our own neighbour with another MAC is ours to change', { neighbours: [neighbour(BRIDGE, '10.0.0.1', OTHER, { flags: 0, protocol: 85 })] }, ALL],
  ['neighbours of another device do not matter', { neighbours: [neighbour(99, '10.0.0.1', OTHER)] }, ALL]
]

for (const [rule, given, wanted] of CASES) {
  await t.test(`claim: ${rule}`, (t) => {
    t.match(claim(given), wanted)
    const { ips } = wanted as { readonly ips?: readonly string[] }
    if (ips !== undefined) t.strictSame(claim(given).ips, ips)
    t.end()
  })
}
