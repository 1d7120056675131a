// A kernel device of ours as a tracker entry: its value is text that holds everything we keep, made alike from what is wanted and
// from what the kernel says; and the requests that lead from the one to the other, a step at a time.
import type { Device, DeviceView } from '../evpn/device.js'
import {
  IFF, IN6_ADDR_GEN_MODE, changeLinkRequest, createLinkRequest, deleteLinkRequest, type LinkRow, type NetlinkError, type NetlinkRequest
} from '../netlink/index.js'
import type { KernelEntry, KernelValue } from './kernel-row.js'
import type { KernelTable } from './kernel.js'
import type { Pending } from './tracker.js'

/** No packet takes the devices; pinned so that a bridge does not follow its ports. */
const MTU = 1500

/** What is kept as it should be. Undefined where a kind has none, and `learning` outside of a bridge. */
interface Kept {
  readonly kind: Device['kind'] | 'other'
  readonly vni?: number | undefined
  readonly udpPort?: number | undefined
  readonly address?: string | undefined
  readonly alias?: string | undefined
  readonly mtu: number
  /** A link-local address would be announced as the chassis' own. */
  readonly addrGenMode: number
  readonly local?: string | undefined
  /** The vxlan device learns remotes from packets. */
  readonly learnsRemotes?: boolean | undefined
  /** ifindex of the bridge. */
  readonly master?: number | undefined
  /** As a port of the bridge: learns MACs from packets. */
  readonly learning?: boolean | undefined
  readonly up: boolean
}

/** The part of a netlink connection that changes devices: one outcome per request, in order. */
export interface DeviceWriter {
  request(requests: readonly NetlinkRequest[]): Promise<readonly (NetlinkError | undefined)[]>
}

export function deviceKey(name: string): string {
  return `device ${name}`
}

export function deviceEntry(device: Device): KernelEntry {
  const { name, address, alias, kind } = device
  const vxlan = kind === 'vxlan' ? { vni: device.vni, udpPort: device.udpPort, local: device.local, learnsRemotes: false } : {}
  const port = kind === 'bridge' || device.bridge === undefined ? {} : { master: device.bridge, learning: false }
  return [deviceKey(name), valueOf({ kind, address, alias, mtu: MTU, addrGenMode: IN6_ADDR_GEN_MODE.NONE, up: true, ...vxlan, ...port })]
}

/** What a device that is ours counts as. */
export function realizedDevice(link: LinkRow): KernelValue {
  const { vxlan, master, bridgePort } = link
  return valueOf({
    kind: KINDS[link.kind ?? ''] ?? 'other',
    vni: vxlan?.vni, udpPort: vxlan?.port, local: vxlan?.local, learnsRemotes: vxlan?.learning,
    address: link.address, alias: link.alias, mtu: link.mtu,
    // Without IPv6 there is nothing to turn off.
    addrGenMode: link.addrGenMode ?? IN6_ADDR_GEN_MODE.NONE,
    master, learning: bridgePort?.learning, up: (link.flags & IFF.UP) !== 0
  })
}

const KINDS: Readonly<Record<string, Kept['kind']>> = { bridge: 'bridge', vxlan: 'vxlan', dummy: 'advertise', veth: 'advertise' }

/** In one order, so that equal values are equal texts. */
function valueOf({ kind, vni, udpPort, address, alias, mtu, addrGenMode, local, learnsRemotes, master, learning, up }: Kept): KernelValue {
  return JSON.stringify({ kind, vni, udpPort, address, alias, mtu, addrGenMode, local, learnsRemotes, master, learning, up })
}

function parse(value: KernelValue): Kept {
  return JSON.parse(value) as Kept
}

function kindOf({ desired, realized }: Pending<KernelValue>): Kept['kind'] {
  const value = desired ?? realized
  return value === undefined ? 'other' : parse(value).kind
}

/** How device entries are written; `links` says which device has a name now. */
export function deviceTable(writer: DeviceWriter, links: () => DeviceView): KernelTable {
  return {
    noun: 'kernel',
    order: (pending) => (pending.desired === undefined ? 2 : 0) + (kindOf(pending) === 'bridge' ? 0 : 1),
    describeChange: (held, value) => differences(parse(held), parse(value)),
    async write(batch) {
      const steps = batch.map((pending) => nextStep(pending, links()))
      const outcomes = await writer.request(steps.flatMap(({ requests }) => requests))
      let at = 0
      return steps.map(({ requests: { length }, needs }) => {
        const own = outcomes.slice(at, at += length)
        return needs === 'one' && own.includes(undefined) ? undefined : own.find((error) => error !== undefined)
      })
    }
  }
}

/** Which of a device's settings differ, in words. */
function differences(held: Kept, value: Kept): string {
  const names = (Object.keys({ ...held, ...value }) as (keyof Kept)[]).filter((name) => held[name] !== value[name])
  return names.map((name) => `set ${name} to ${value[name] ?? 'nothing'} (was ${held[name] ?? 'nothing'})`).join(', ')
}

/** What is asked of the kernel at once; all of it has to succeed, or one. What it led to comes back as a notification. */
interface Step {
  readonly needs: 'all' | 'one'
  readonly requests: readonly NetlinkRequest[]
}

function nextStep({ key, desired, realized }: Pending<KernelValue>, links: DeviceView): Step {
  const name = key.slice(deviceKey('').length)
  if (realized === undefined) return { needs: 'one', requests: desired === undefined ? [] : creation(name, parse(desired)) }
  const ifindex = links.byName(name)?.ifindex
  if (ifindex === undefined) return { needs: 'all', requests: [] }
  const [wanted, there] = [desired === undefined ? undefined : parse(desired), parse(realized)]
  const isOther = wanted?.kind !== there.kind || wanted.vni !== there.vni || wanted.udpPort !== there.udpPort
  return { needs: 'all', requests: isOther ? [deleteLinkRequest(ifindex)] : changes({ ifindex, name }, wanted, there) }
}

/** The kernel has dummies, or it has not: EEXIST and EOPNOTSUPP tell. The other end of a veth stays down, so that its MAC is nobody's. */
function creation(name: string, { kind, address, vni, local, udpPort }: Kept): readonly NetlinkRequest[] {
  const common = { name, mtu: MTU, ...address === undefined ? {} : { address } }
  if (kind === 'bridge') return [createLinkRequest({ ...common, kind, vlanDefaultPvid: 0 })]
  if (kind !== 'vxlan') return [createLinkRequest({ ...common, kind: 'dummy' }), createLinkRequest({ ...common, kind: 'veth', peer: peerOf(name) })]
  const vxlan = { ...NO_LEARNING, ...vni === undefined ? {} : { vni }, ...udpPort === undefined ? {} : { port: udpPort }, ...local === undefined ? {} : { local } }
  return [createLinkRequest({ ...common, kind, vxlan })]
}

const NO_LEARNING = { learning: false, external: false, vnifilter: false } as const

/** IFNAMSIZ leaves 15 characters. */
function peerOf(name: string): string {
  return `${name.slice(0, 13)}-p`
}

/**
 * Settings of a bridge's port can be changed when it is one, and up it goes last: no address is made, nothing learned in between.
 * The kernel tells of what happens to a device that is down only in part, and of its going up always.
 */
function changes(link: { readonly ifindex: number, readonly name: string }, wanted: Kept, there: Kept): NetlinkRequest[] {
  const { address, alias, mtu, addrGenMode, local, learnsRemotes, master, learning } = wanted
  const requests = [changeLinkRequest({
    ...link, mtu, addrGenMode,
    ...alias === undefined ? {} : { alias },
    ...there.address === address || address === undefined ? {} : { address },
    ...there.master === master ? {} : { master: master ?? 0 }
  })]
  // The kernel takes these alone only: with an MTU beside them it says "Cannot change mtu".
  if (local !== undefined && (there.local !== local || there.learnsRemotes !== learnsRemotes)) {
    requests.push(changeLinkRequest({ ...link, kind: 'vxlan', vxlan: { ...NO_LEARNING, local } }))
  }
  if (learning !== undefined) requests.push(changeLinkRequest({ ...link, bridgePort: { learning } }))
  return [...requests, changeLinkRequest({ ...link, flags: IFF.UP }, IFF.UP)]
}
