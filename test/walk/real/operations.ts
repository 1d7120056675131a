// What walks do to a real chassis, with the tools that people and FRR's kernel interface stand for: `bridge`, `ip`, `ovs-vsctl`,
// `ovs-ofctl`, and signals. What a tool refuses changes nothing.
import type { ServiceName } from '../../lab/build.js'
import type { Daemon } from '../../lab/daemon.js'
import type { Lab } from '../../lab/lab.js'
import { ALL_MACS, NEXTHOP_GROUPS, NEXTHOPS, REMOTE_MACS, SHARED_MACS, UDP_PORTS, VNIS, VTEPS, WORKLOAD_IPS, WORKLOADS } from '../pools.js'
import type { Random } from '../random.js'

export interface Real {
  readonly lab: Lab
  daemon: Daemon
}

/** A command of a tool, or an operation that takes more than one; what it did in words. */
type RealOperation = (real: Real, r: Random) => readonly string[] | Promise<string>

const V4 = VTEPS.filter((ip) => !ip.includes(':'))
const ZERO = '00:00:00:00:00:00'

const vxlan = (r: Random): string => `vxlan-${r.pick(VNIS)}`
const port = (r: Random): string[] => (r.chance(0.15) ? ['port', String(r.pick(UDP_PORTS))] : [])

const vtep: RealOperation = (_real, r) =>
  ['bridge', 'fdb', r.chance(0.7) ? 'append' : 'del', ZERO, 'dev', vxlan(r), 'dst', r.pick(V4), ...port(r), 'self', 'permanent']

const announceMac: RealOperation = (_real, r) => ['bridge', 'fdb', 'replace', r.pick(r.chance(0.4) ? SHARED_MACS : REMOTE_MACS), 'dev', vxlan(r), 'dst', r.pick(V4), ...port(r),
  'self', ...r.chance(0.85) ? ['master'] : [], 'dynamic', ...r.chance(0.1) ? ['sticky'] : ['extern_learn']]

const withdrawMac: RealOperation = (_real, r) => ['bridge', 'fdb', 'del', r.pick(ALL_MACS), 'dev', vxlan(r), 'self', ...r.chance(0.9) ? ['master'] : []]

const announceIp: RealOperation = (_real, r) => ['ip', 'neigh', 'replace', r.pick(WORKLOAD_IPS), 'lladdr', r.pick(ALL_MACS), 'dev', `br-${r.pick(VNIS)}`,
  'nud', 'noarp', 'extern_learn', ...r.chance(0.2) ? ['router'] : [], 'protocol', 'zebra']

const deleteIp: RealOperation = (_real, r) => ['ip', 'neigh', 'del', r.pick(WORKLOAD_IPS), 'dev', `br-${r.pick(VNIS)}`]

const setIp: RealOperation = (_real, r) => ['ip', 'neigh', 'replace', r.pick(WORKLOAD_IPS), 'lladdr', r.pick(SHARED_MACS), 'dev', `br-${r.pick(VNIS)}`, 'nud', 'permanent']

const nexthop: RealOperation = (_real, r) => ['ip', 'nexthop', 'replace', 'id', String(r.pick(NEXTHOPS)), 'via', r.pick(V4), 'fdb']

const nexthopGroup: RealOperation = (_real, r) => ['ip', 'nexthop', 'replace', 'id', String(r.pick(NEXTHOP_GROUPS)), 'group',
  [r.pick(NEXTHOPS), ...r.some(NEXTHOPS, 0.4)].filter((id, i, all) => all.indexOf(id) === i).map((id) => `${id},${r.pick([1, 2, 5])}`).join('/'), 'fdb']

const deleteNexthop: RealOperation = (_real, r) => ['ip', 'nexthop', 'del', 'id', String(r.pick([...NEXTHOPS, ...NEXTHOP_GROUPS]))]

const multihomed: RealOperation = (_real, r) =>
  ['bridge', 'fdb', 'replace', r.pick(ALL_MACS), 'dev', vxlan(r), 'nhid', String(r.pick(NEXTHOP_GROUPS)), 'self', 'master', 'extern_learn']

const upDown: RealOperation = (_real, r) => ['ip', 'link', 'set', r.pick(['br', 'vxlan', 'lo'].map((kind) => `${kind}-${r.pick(VNIS)}`)), r.chance(0.7) ? 'up' : 'down']

const enslave: RealOperation = (_real, r) => {
  const vni = r.pick(VNIS)
  return ['ip', 'link', 'set', `${r.pick(['vxlan', 'lo'])}-${vni}`, ...r.chance(0.3) ? ['nomaster'] : ['master', `br-${vni}`]]
}

const devices: RealOperation = async ({ lab }, r) => {
  const vni = r.pick(VNIS)
  await lab.removeVniDevices('c1', vni).catch(() => undefined)
  await lab.addVniDevices('c1', vni).catch(() => undefined)
  return `the devices of VNI ${vni} are made again`
}

function addresses(r: Random): string {
  return r.some(SHARED_MACS, 0.35).map((mac) => [mac, ...r.some(WORKLOAD_IPS, 0.3)].join(' ')).join(', ')
}

const setPort: RealOperation = (_real, r) => ['ovs-vsctl', '--no-wait', '--if-exists', 'set', 'Interface', r.pick(WORKLOADS), ...r.chance(0.7)
  ? [`external_ids:evpn-addresses="${addresses(r)}"`] : [`external_ids:dynamic-routing-vni=${r.pick(VNIS)}`]]

const addPort: RealOperation = (_real, r) => {
  const name = r.pick(WORKLOADS)
  return ['ovs-vsctl', '--no-wait', '--may-exist', 'add-port', 'br-int', name, '--', 'set', 'Interface', name, 'type=internal',
    `external_ids:dynamic-routing-vni=${r.pick(VNIS)}`, `external_ids:evpn-addresses="${addresses(r)}"`]
}

const deletePort: RealOperation = (_real, r) => ['ovs-vsctl', '--no-wait', '--if-exists', 'del-port', 'br-int', r.pick(WORKLOADS)]

const option: RealOperation = (_real, r) => {
  const [name, value] = r.pick([
    ['dynamic-routing-redistribute', r.pick(['fdb', 'ip', 'fdb,ip', 'none'])], ['evpn-flood', r.pick(['vtep', 'none'])], ['evpn-inner-vlan', r.pick(['drop', 'carry'])],
    ['evpn-port-security', r.pick(['true', 'false'])], ['evpn-decap', r.pick(['strict', 'member', 'off'])], ['evpn-suppress', r.pick(['true', 'false'])],
    ['evpn-vxlan-port', String(r.pick(UDP_PORTS))]
  ] as const)
  const key = r.chance(0.75) ? `${name}-${r.pick(VNIS)}` : name
  return r.chance(0.3) ? ['ovs-vsctl', '--no-wait', 'remove', 'Bridge', 'br-int', 'external_ids', key] : ['ovs-vsctl', '--no-wait', 'set', 'Bridge', 'br-int', `external_ids:${key}=${value}`]
}

const udpPorts: RealOperation = (_real, r) => ['ovs-vsctl', '--no-wait', 'set', 'Open_vSwitch', '.', `external_ids:ovn-evpn-vxlan-ports="${[4789, ...r.some([4790, 8472], 0.6)].join(',')}"`]

const restartDaemon: RealOperation = async (real, r) => {
  const signal = r.pick(['SIGTERM', 'SIGKILL'] as const)
  await real.daemon.stop(signal)
  const words = r.chance(0.5) ? await perform(real, r, announceMac) : 'nothing happens'
  real.daemon = await real.lab.startDaemon('c1')
  return `${signal} ends the daemon; ${words}; it starts again`
}

const restartService = (service: ServiceName): RealOperation => async ({ lab }) => {
  await lab.stopService('c1', service, 'SIGKILL')
  await lab.startService('c1', service)
  return `${service} is killed and starts again`
}

const storm: RealOperation = async ({ lab }, r) => {
  const name = vxlan(r)
  const lines = Array.from({ length: 300 }, () => `fdb ${r.pick(['replace', 'del'])} ${r.pick(ALL_MACS)} dev ${name} dst ${r.pick(V4)} self master dynamic extern_learn`)
  await lab.exec('c1', ['bridge', '-force', '-batch', '-'], { input: lines.join('\n') + '\n', allowFailure: true })
  return `300 changes of MACs on ${name}`
}

const OPERATIONS: readonly (readonly [weight: number, operation: RealOperation])[] = [
  [12, vtep], [16, announceMac], [6, withdrawMac], [8, announceIp], [4, deleteIp], [3, setIp], [5, nexthop], [5, nexthopGroup], [2, deleteNexthop], [5, multihomed],
  [3, upDown], [3, enslave], [2, devices], [8, setPort], [5, addPort], [2, deletePort], [8, option], [2, udpPorts], [2, restartDaemon],
  [0.4, restartService('ovs-vswitchd')], [0.4, restartService('ovsdb-server')], [2, storm]
]

/** One random operation; what it was in words. */
export async function operate(real: Real, r: Random): Promise<string> {
  return await perform(real, r, r.weighted(OPERATIONS))
}

async function perform(real: Real, r: Random, operation: RealOperation): Promise<string> {
  const done = await operation(real, r)
  if (typeof done === 'string') return done
  const { code, stderr } = await real.lab.exec('c1', done, { allowFailure: true })
  return code === 0 ? done.join(' ') : `${done.join(' ')} (${stderr.trim()})`
}
