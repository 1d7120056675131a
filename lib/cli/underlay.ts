// The way to a VTEP, as whoever sends the packets sees it: ovs-vswitchd itself with the userspace datapath, else the kernel.
import { NUD, RTN, type LinkRow, type NeighRow } from '../netlink/index.js'
import type { NeighbourState, Underlay } from './explain/chain.js'
import type { KernelReader } from './kernel.js'
import { askVswitchd, findTunnelNeighbour, parseRouteLookup } from './vswitchd.js'

export interface UnderlaySources {
  readonly kernel: KernelReader
  readonly links: readonly LinkRow[]
  readonly rundir: string
  readonly datapath: 'kernel' | 'userspace'
}

/** Never rejects for what is missing on the way. */
export async function readUnderlay(sources: UnderlaySources, vtep: string): Promise<Underlay> {
  return sources.datapath === 'userspace' ? await byVswitchd(sources, vtep) : await byKernel(sources, vtep)
}

async function byKernel({ kernel, links }: UnderlaySources, vtep: string): Promise<Underlay> {
  const found = await kernel.route(vtep)
  const dev = links.find(({ ifindex }) => ifindex === found?.oif)
  if (found === undefined || dev === undefined || (found.type !== RTN.UNICAST && found.type !== RTN.LOCAL)) return { vtep, by: 'kernel' }
  const { gateway, src } = found
  const hop = gateway ?? vtep
  const row = await kernel.neighbour(dev.ifindex, hop)
  return {
    vtep, by: 'kernel',
    route: { dev: dev.name, ...(gateway === undefined ? {} : { gateway }), ...(src === undefined ? {} : { src }), mtu: found.mtu ?? dev.mtu },
    neighbour: { ip: hop, ...neighbourOf(row) }
  }
}

async function byVswitchd({ kernel, links, rundir }: UnderlaySources, vtep: string): Promise<Underlay> {
  const by = 'ovs-vswitchd'
  const lookup = await askVswitchd(rundir, 'ovs/route/lookup', [vtep])
  if (lookup.kind === 'denied' || lookup.kind === 'silent') return { vtep, by, problem: lookup.text }
  const route = lookup.kind === 'answered' ? parseRouteLookup(lookup.text) : undefined
  if (route === undefined) return { vtep, by }
  const hop = route.gateway ?? vtep
  const table = await askVswitchd(rundir, 'tnl/neigh/show', [])
  const mac = table.kind === 'answered' ? findTunnelNeighbour(table.text, hop) : undefined
  const dev = links.find(({ name }) => name === route.dev)
  const withMtu = { ...route, ...(dev === undefined ? {} : { mtu: dev.mtu }) }
  if (mac !== undefined) return { vtep, by, route: withMtu, neighbour: { ip: hop, mac, state: 'resolved', words: 'in ovs-vswitchd\'s table' } }
  // ovs-vswitchd asks when it has a packet to send; the kernel's word on the same device says whether anybody would answer.
  const inKernel = dev === undefined ? undefined : neighbourOf(await kernel.neighbour(dev.ifindex, hop))
  const state = inKernel?.state === 'failed' ? 'failed' : 'unknown'
  return { vtep, by, route: withMtu, neighbour: { ip: hop, state, words: `not in ovs-vswitchd's table; the kernel says ${inKernel?.words ?? 'nothing'}` } }
}

const RESOLVED = NUD.REACHABLE | NUD.STALE | NUD.DELAY | NUD.PROBE | NUD.NOARP | NUD.PERMANENT

function neighbourOf(row: NeighRow | undefined): { readonly mac?: string, readonly state: NeighbourState, readonly words: string } {
  if (row === undefined) return { state: 'unknown', words: 'nothing: nobody has asked lately' }
  const words = Object.entries(NUD).filter(([, bit]) => (row.state & bit) !== 0).map(([name]) => name).join(' ')
  const isResolved = (row.state & RESOLVED) !== 0
  return { ...(row.lladdr === undefined || !isResolved ? {} : { mac: row.lladdr }), state: isResolved ? 'resolved' : 'failed', words }
}
