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
}

function claim({ devices = DEVICES, bridge = {}, local = {}, fdb = [], neighbours = [], portProblem }: Case): Claim {
  return deriveClaim(domainOf(devices, { bridge }), { vni: 1000, mac: MAC, port: 'vm1', ips: IPS, advertise: true, ...local }, {
    fdb: fdbOf(...fdb), neighbours: neighboursOf(...neighbours), portProblem: (port) => (port === 'vm1' ? portProblem : undefined)
  })
}

const ALL = { state: 'advertised', reason: undefined, fdb: ADVERTISE, bridge: BRIDGE, ips: IPS }
const NOTHING = { fdb: undefined, bridge: undefined, ips: [] }
const MAC_ONLY = { state: 'advertised', fdb: ADVERTISE, bridge: undefined, ips: [] }

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

  ['somebody else announces the MAC: waiting, and nothing is written', { fdb: [remoteMac(VXLAN, MAC, '192.0.2.2')] },
    { state: 'waiting', reason: 'another chassis announces this MAC', ...NOTHING }],
  ["the bridge's half of a claim is enough to wait: the other half is on its way", { fdb: [onPort(BRIDGE, VXLAN, MAC, { flags: NTF.EXT_LEARNED })] },
    { state: 'waiting', ...NOTHING }],
  ['a sticky claim', { fdb: [remoteMac(VXLAN, MAC, '192.0.2.2', { flags: NTF.SELF | NTF.STICKY })] }, { state: 'waiting', ...NOTHING }],
  ['waiting comes before every other reason: traffic follows the claim', {
    fdb: [remoteMac(VXLAN, MAC, '192.0.2.2')], local: { advertise: false }, portProblem: 'down', bridge: { 'dynamic-routing-redistribute': 'none' }
  }, { state: 'waiting', ...NOTHING }],
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
