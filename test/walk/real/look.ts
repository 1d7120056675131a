// A real chassis as its tools show it (`ip -j`, `bridge -j`, `ovs-vsctl`), in the form from which walks compute the truth; its flows
// and groups as a client of its own reads them. Nothing of the daemon is asked.
import { AF, NTF, NUD, type NeighRow } from '../../../lib/netlink/index.js'
import { ZERO_MAC } from '../../../lib/net/mac.js'
import type { OpenFlowClient } from '../../../lib/openflow/index.js'
import type { Chassis } from '../../system/util/chassis.js'
import { FakeKernel } from '../kernel/kernel.js'
import type { Device } from '../kernel/rows.js'
import { textOf, type FakeDatabase } from '../ovsdb/database.js'
import { canonicalTables } from '../switch/tables.js'
import type { Things } from '../truth/world.js'
import { databaseOf } from './database.js'

interface Link {
  readonly ifindex: number
  readonly ifname: string
  readonly flags: readonly string[]
  readonly address?: string
  readonly master?: string
  readonly linkinfo?: { readonly info_kind?: string, readonly info_data?: { readonly id?: number, readonly local?: string, readonly local6?: string, readonly port?: number } }
}

interface FdbEntry {
  readonly mac: string
  readonly ifname: string
  readonly flags: readonly string[]
  readonly state: string
  readonly master?: string
  readonly dst?: string
  readonly port?: number
  readonly nhid?: number
}

interface NeighbourEntry {
  readonly dst: string
  readonly dev: string
  readonly lladdr?: string
  readonly state: readonly string[]
  readonly protocol?: string
}

interface NexthopEntry {
  readonly id: number
  readonly gateway?: string
  readonly group?: readonly { readonly id: number, readonly weight?: number }[]
}

const untold = (): void => undefined

/** Everything as it is now; things that change meanwhile may not fit together. */
export async function look(chassis: Chassis, client: OpenFlowClient, bridge = 'br-int'): Promise<Things> {
  const json = async <T>(...argv: readonly string[]): Promise<T> => JSON.parse(await chassis.run(argv) || '[]') as T
  const [links, fdb, neighbours, nexthops] = [
    await json<readonly Link[]>('ip', '-j', '-d', 'link', 'show'), await json<readonly FdbEntry[]>('bridge', '-j', 'fdb', 'show'),
    await json<readonly NeighbourEntry[]>('ip', '-j', '-d', 'neigh', 'show', 'nud', 'all'), await json<readonly NexthopEntry[]>('ip', '-j', 'nexthop', 'show')
  ]
  const database: FakeDatabase = await databaseOf(chassis)
  const tables = canonicalTables(await client.flowDescs({}), await client.groupDescs())
  const ports = new Map(database.layout().filter(([name]) => name === bridge).flatMap(([, interfaces]) => interfaces)
    .map(([, row]) => [textOf(row['name']), { port: Number((row['ofport'] as readonly number[])[0]) }] as const).filter(([, { port }]) => port > 0))
  return { kernel: kernelOf(links, fdb, neighbours, nexthops), database, vswitchd: { switches: new Map([[bridge, { tables, ports }]]) } }
}

function kernelOf(links: readonly Link[], fdb: readonly FdbEntry[], neighbours: readonly NeighbourEntry[], nexthops: readonly NexthopEntry[]): FakeKernel {
  const kernel = new FakeKernel(untold)
  const index = new Map(links.map(({ ifname, ifindex }) => [ifname, ifindex]))
  for (const link of links) kernel.devices.set(link.ifindex, deviceOf(link, index))
  for (const { id, gateway } of nexthops) {
    if (gateway !== undefined) kernel.nexthops.add({ id, gateway, family: gateway.includes(':') ? AF.INET6 : AF.INET, fdb: true, blackhole: false, protocol: 0 }, untold)
  }
  for (const { id, group } of nexthops) {
    if (group === undefined) continue
    const members = group.map((member) => ({ id: member.id, weight: member.weight ?? 1 }))
    kernel.nexthops.add({ id, group: members, groupType: 0, family: AF.UNSPEC, fdb: true, blackhole: false, protocol: 0 }, untold)
  }
  for (const entry of fdb) addEntry(kernel, entry)
  for (const { dst, dev, lladdr, state, protocol, ...more } of neighbours) {
    const flags = ('extern_learn' in more ? NTF.EXT_LEARNED : 0) | ('router' in more ? NTF.ROUTER : 0)
    const bits = state.reduce((sum, name) => sum | (NUD[name as keyof typeof NUD] ?? 0), 0)
    const row = { family: dst.includes(':') ? AF.INET6 : AF.INET, ifindex: index.get(dev) ?? 0, state: bits, flags, type: 0, dst, protocol: Number(protocol ?? 0) || 0 }
    kernel.neighbours.add(lladdr === undefined ? row : { ...row, lladdr }, 'foreign', untold)
  }
  return kernel
}

function deviceOf({ ifindex, ifname, flags, address = '', master, linkinfo }: Link, index: ReadonlyMap<string, number>): Device {
  const kind = linkinfo?.info_kind === 'bridge' || linkinfo?.info_kind === 'vxlan' ? linkinfo.info_kind : 'veth'
  const { id, local, local6, port } = linkinfo?.info_data ?? {}
  const from = local ?? local6
  const vxlan = kind !== 'vxlan' ? undefined : {
    vni: id ?? 0, port: port ?? 0, learning: false, external: false, vnifilter: false, ...(from === undefined ? {} : { local: from })
  }
  return {
    ifindex, name: ifname, kind, up: flags.includes('UP'), master: master === undefined ? undefined : index.get(master), mac: address, vxlan,
    lendsAddress: false, vlanFiltering: false, vlans: new Map(), pvid: undefined, svi: undefined
  }
}

/** A row of the bridge's table, or of a vxlan device's own. */
function addEntry(kernel: FakeKernel, { mac, ifname, flags, state, master, dst, port, nhid }: FdbEntry): void {
  const device = kernel.byName(ifname)
  if (device === undefined) return
  const bits = (flags.includes('extern_learn') ? NTF.EXT_LEARNED : 0) | (flags.includes('sticky') ? NTF.STICKY : 0)
  const row: NeighRow = { family: AF.BRIDGE, ifindex: device.ifindex, state: NUD.REACHABLE, flags: bits, type: 0, lladdr: mac }
  if (device.kind === 'vxlan' && (dst !== undefined || nhid !== undefined)) {
    const where = { ...(dst === undefined ? {} : { dst }), ...(nhid === undefined ? {} : { nhId: nhid }), ...(port === undefined ? {} : { port }) }
    kernel.vxlans.add(device, mac === ZERO_MAC ? 'append' : 'replace', { ...row, ...where, state: state === 'permanent' ? NUD.NOARP | NUD.PERMANENT : NUD.REACHABLE }, 'speaker', untold)
  } else if (master !== undefined && !flags.includes('self')) {
    const bridge = kernel.byName(master)?.ifindex
    if (bridge === undefined) return
    if (state === 'permanent') kernel.bridges.addLocal(bridge, device.ifindex, mac, untold)
    else kernel.bridges.add({ ...device, master: bridge }, { ...row, state: state === 'static' ? NUD.NOARP : NUD.REACHABLE }, 'foreign', untold)
  }
}
