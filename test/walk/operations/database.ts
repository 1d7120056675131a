// Users and their configuration: ports, addresses, options, bridges, and hands on the tunnel ports.
import { textOf } from '../ovsdb/database.js'
import { BRIDGES, DEVICE_NAMES, LOCAL_IPS, OTHERS, SHARED_MACS, UDP_PORTS, VLANS, VNIS, WORKLOADS, WORKLOAD_IPS } from '../pools.js'
import type { Random } from '../random.js'
import type { Operation, Weighted } from './operation.js'

function addresses(r: Random): string {
  const bound = r.some(SHARED_MACS, 0.3).map((mac) => [mac, ...r.some(WORKLOAD_IPS, 0.25)].join(' '))
  return [...bound, ...(r.chance(0.4) ? ['unknown'] : []), ...(r.chance(0.05) ? ['no-mac'] : [])].join(', ')
}

/** One VNI, or a trunk's list, in which things may be said twice. */
function vnis(r: Random): string {
  if (r.chance(0.65)) return String(r.pick(VNIS))
  const items = Array.from({ length: r.int(1, 4) }, () => `${r.pick(VLANS)}:${r.pick(VNIS)}`)
  return [...items, ...(r.chance(0.1) ? ['4095:100'] : [])].join(',')
}

function portKeys(r: Random): ReadonlyMap<string, string> {
  const keys: [string, string][] = [['dynamic-routing-vni', r.chance(0.97) ? vnis(r) : 'seven']]
  if (r.chance(0.15)) keys.push([`evpn-addresses-${r.pick(VLANS)}`, addresses(r)])
  if (r.chance(0.85)) keys.push(['evpn-addresses', addresses(r)])
  else keys.push(['attached-mac', r.pick(SHARED_MACS)])
  if (r.chance(0.1)) keys.push(['dynamic-routing-advertise', 'false'])
  return new Map(keys)
}

export const addPort: Operation = ({ database }, r) => {
  const name = r.pick(WORKLOADS)
  const bridge = r.chance(0.9) ? BRIDGES[0] : BRIDGES[1]
  const keys = portKeys(r)
  return database.addPort(bridge, name, { external_ids: keys }) ? `port ${name} is added to ${bridge}: ${keysText(keys)}` : undefined
}

const removePort: Operation = ({ database }, r) => {
  const name = r.pick(WORKLOADS)
  if (database.find('Port', name) === undefined) return undefined
  database.removePort(name)
  return `port ${name} is removed`
}

const changePort: Operation = ({ database }, r) => {
  const name = r.pick(WORKLOADS)
  const uuid = database.find('Interface', name)
  if (uuid === undefined) return undefined
  const [key, value] = r.weighted<() => readonly [string, string | undefined]>([
    [4, () => ['dynamic-routing-vni', vnis(r)]],
    [2, () => [`evpn-addresses-${r.pick(VLANS)}`, r.chance(0.7) ? addresses(r) : undefined]],
    [1, () => ['dynamic-routing-vni', undefined]],
    [5, () => ['evpn-addresses', addresses(r)]],
    [1, () => ['evpn-addresses', undefined]],
    [1, () => ['attached-mac', r.pick(SHARED_MACS)]],
    [2, () => ['dynamic-routing-advertise', r.pick(['true', 'false'])]]
  ])()
  database.setKey('Interface', uuid, key, value)
  return `port ${name}: ${key}=${value}`
}

const recreatePort: Operation = ({ database, vswitchd }, r) => {
  const name = r.pick(WORKLOADS)
  if (database.find('Port', name) === undefined) return undefined
  database.removePort(name)
  if (r.chance(0.5)) vswitchd.run(r)
  const keys = portKeys(r)
  database.addPort(BRIDGES[0], name, { external_ids: keys })
  return `port ${name} is removed and added again: ${keysText(keys)}`
}

const addOther: Operation = ({ database }, r) => {
  const name = r.pick(OTHERS)
  return database.addPort(r.pick(BRIDGES), name, {}) ? `port ${name}, none of ours, is added` : undefined
}

/** A device vswitchd cannot open any more, or again. */
const breakPort: Operation = ({ database, vswitchd: { unable } }, r) => {
  const name = r.maybe([...database.table('Interface').values()].map((row) => textOf(row['name'])))
  if (name === undefined) return undefined
  if (unable.delete(name)) return `ovs-vswitchd can make ${name} again`
  unable.add(name)
  return `ovs-vswitchd cannot make ${name}`
}

export const setSystem: Operation = ({ database }, r) => {
  const ips = () => r.some([...LOCAL_IPS, ...VNIS.map((vni) => `${vni}-${r.pick(LOCAL_IPS)}`), 'nonsense'], 0.35).join(',')
  const [key, value] = r.weighted<() => readonly [string, string | undefined]>([
    [6, () => ['ovn-evpn-local-ip', ips()]],
    [1, () => ['ovn-evpn-local-ip', undefined]],
    [3, () => ['ovn-evpn-vxlan-ports', r.some(UDP_PORTS, 0.6).join(',')]],
    [1, () => ['ovn-evpn-vxlan-ports', undefined]],
    [1, () => ['ovn-bridge', r.pick(BRIDGES)]],
    [1, () => ['system-id', 'one']],
    [1, () => ['ovn-evpn-local-ip-one', r.chance(0.5) ? ips() : undefined]]
  ])()
  database.setKey('Open_vSwitch', database.root, key, value)
  return `Open_vSwitch: ${key}=${value}`
}

/** In a third of all walks the switch learns from what VTEPs send. */
export const setLearning: Operation = ({ database }, r) => {
  const uuid = database.find('Bridge', BRIDGES[0])
  if (uuid === undefined || r.chance(0.65)) return undefined
  database.setKey('Bridge', uuid, 'evpn-learn', 'true')
  return 'Bridge: evpn-learn=true'
}

const setBridge: Operation = ({ database }, r) => {
  const uuid = database.find('Bridge', r.chance(0.9) ? BRIDGES[0] : BRIDGES[1])
  if (uuid === undefined) return undefined
  const vni = r.pick(VNIS)
  const [option, value] = r.weighted<() => readonly [string, string | undefined]>([
    [2, () => ['dynamic-routing-bridge-ifname', r.pick(DEVICE_NAMES.bridge(vni))]],
    [3, () => ['dynamic-routing-vxlan-ifname', r.some(DEVICE_NAMES.vxlan(vni), 0.6).join(',') || 'vxX']],
    [2, () => ['dynamic-routing-advertise-ifname', r.pick(DEVICE_NAMES.advertise(vni))]],
    [3, () => ['dynamic-routing-redistribute', r.pick(['fdb', 'ip', 'fdb,ip', 'none'])]],
    [2, () => ['evpn-flood', r.pick(['vtep', 'none'])]],
    [2, () => ['evpn-inner-vlan', r.pick(['drop', 'carry'])]],
    [2, () => ['evpn-port-security', r.pick(['true', 'false'])]],
    [2, () => ['evpn-decap', r.pick(['strict', 'member', 'off'])]],
    [4, () => ['evpn-learn', r.pick(['true', 'true', 'false'])]],
    [2, () => ['dynamic-routing-fdb-prefer-local', r.pick(['true', 'false'])]],
    [1, () => ['fdb_age_threshold', String(r.int(0, 2))]],
    [2, () => ['evpn-suppress', r.pick(['true', 'false'])]],
    [3, () => ['dynamic-routing-arp-prefer-local', r.pick(['true', 'false'])]],
    [1, () => ['evpn-stale-time', r.pick(['0', '5', '60', '300'])]],
    [2, () => ['evpn-vxlan-port', String(r.pick(UDP_PORTS))]]
  ])()
  const key = r.chance(0.75) ? `${option}-${vni}` : option
  const text = r.chance(0.7) ? value : undefined
  database.setKey('Bridge', uuid, key, text)
  return `Bridge: ${key}=${text}`
}

const setVirtualAddresses: Operation = ({ database }, r) => {
  const uuid = database.find('Bridge', BRIDGES[0])
  if (uuid === undefined) return undefined
  const key = `evpn-addresses-${r.pick(VNIS)}`
  const value = r.chance(0.6) ? addresses(r).replace(/,? ?unknown/, '') : undefined
  database.setKey('Bridge', uuid, key, value)
  return `Bridge: ${key}=${value}`
}

const toggleBridge: Operation = ({ database }, r) => {
  const name = r.pick(BRIDGES)
  if (database.find('Bridge', name) === undefined) {
    database.addBridge(name)
    return `bridge ${name} is added`
  }
  if (name === BRIDGES[0] && r.chance(0.6)) return undefined
  database.removeBridge(name)
  return `bridge ${name} is removed`
}

/** ovn-controller's mark comes or goes: the agent stands off. */
const markOvn: Operation = ({ database }, r) => {
  const uuid = database.find('Bridge', BRIDGES[0])
  if (uuid === undefined) return undefined
  const isMarked = (database.table('Bridge').get(uuid)?.['external_ids'] as ReadonlyMap<string, string>).has('ct-zone-x')
  if (!isMarked && r.chance(0.7)) return undefined
  database.setKey('Bridge', uuid, 'ct-zone-x', isMarked ? undefined : '1')
  return isMarked ? 'ovn-controller gives br-int up' : 'ovn-controller takes br-int'
}

const tamperTunnel: Operation = ({ database }, r) => {
  const name = `ovn-evpn-${r.pick(UDP_PORTS)}`
  const iface = database.find('Interface', name)
  const port = database.find('Port', name)
  if (iface === undefined || port === undefined) {
    if (!r.chance(0.2)) return undefined
    return database.addPort(r.pick(BRIDGES), name, { type: 'internal' }) ? `somebody's own port is called ${name}` : undefined
  }
  return r.weighted<() => string>([
    [3, () => {
      const [key, value] = r.pick([['local_ip', undefined], ['remote_ip', '192.0.2.9'], ['key', '7'], ['csum', 'true']] as const)
      database.setKey('Interface', iface, key, value, 'options')
      return `somebody sets ${name} options:${key}=${value}`
    }],
    [2, () => {
      database.removePort(name)
      return `somebody removes ${name}`
    }],
    [1, () => {
      database.setKey('Port', port, 'ovn-evpn-tunnel', undefined)
      return `somebody takes our mark from ${name}`
    }]
  ])()
}

function keysText(keys: ReadonlyMap<string, string>): string {
  return [...keys].map(([key, value]) => `${key}=${value}`).join('; ')
}

export const BUILD_DATABASE: Weighted = [[8, addPort], [4, setSystem], [2, setBridge], [1, setVirtualAddresses], [1, addOther]]

export const CHANGE_DATABASE: Weighted = [
  [6, addPort], [3, removePort], [8, changePort], [2, recreatePort], [1, addOther], [2, breakPort], [4, setSystem], [5, setBridge],
  [2, setVirtualAddresses], [1, toggleBridge], [1, markOvn], [2, tamperTunnel]
]
