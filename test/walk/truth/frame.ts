// Frames of a walk, with their tags, and what ports make of them: which VNI takes a frame, what is left of its tags, how it
// leaves by another port, and whether evpn-port-security lets it in.
import { linkLocalOf } from '../../../lib/net/ip.js'
import { SHARED_MACS, VLANS, WORKLOAD_IPS } from '../pools.js'
import type { Random } from '../random.js'
import { packet, type Packet } from '../switch/packet.js'
import type { TrueConfig, TruePort } from './config.js'
import type { TrueVni } from './vni.js'

export const STRANGER = '02:00:00:00:ee:01'

export interface Tag { readonly vid: number, readonly pcp: number }

type Payload = { readonly kind: 'other' } | { readonly kind: 'ip', readonly src: string } | { readonly kind: 'arp', readonly sha: string, readonly spa: string }

export interface Frame {
  readonly src: string
  readonly dst: string
  /** The outermost first; at most two. */
  readonly tags: readonly Tag[]
  readonly payload: Payload
}

/** A frame inside: the tags of its own, and the priority of the one that a trunk took off. */
export interface Inside {
  readonly tags: readonly Tag[]
  readonly pcp: number
  /** They were below one that was taken off: with vlan-limit 1, as it is by default, Open vSwitch does not see which they are. */
  readonly isHidden?: boolean
}

const ETH_TYPE = { other: 0x88cc, ip: 0x0800, ip6: 0x86dd, arp: 0x0806, vlan: 0x8100 } as const

/** The fields that Open vSwitch matches on. Behind the first tag it sees the second as an Ethernet type. */
export function fieldsOf({ src, dst, tags: [outer, inner], payload }: Frame): Packet {
  const tci = (tag: Tag) => 0x1000 | tag.vid | (tag.pcp << 13)
  return packet({
    eth_src: src, eth_dst: dst,
    ...(outer === undefined ? {} : { vlan_vid: 0x1000 | outer.vid, vlan_pcp: outer.pcp }),
    ...(inner === undefined ? payloadFields(payload) : { below: tci(inner), eth_type: ETH_TYPE.vlan })
  })
}

function payloadFields(payload: Payload): Record<string, unknown> {
  switch (payload.kind) {
    case 'other': return { eth_type: ETH_TYPE.other }
    case 'ip': return payload.src.includes(':') ? { eth_type: ETH_TYPE.ip6, ipv6_src: payload.src } : { eth_type: ETH_TYPE.ip, ip_src: payload.src }
    case 'arp': return { eth_type: ETH_TYPE.arp, arp_op: 2, arp_sha: payload.sha, arp_spa: payload.spa }
  }
}

/** The tags of a packet, as text. */
export function tagsText(tags: readonly Tag[]): string {
  return tags.map(({ vid, pcp }) => ` tag ${vid}/${pcp}`).join('')
}

/** The tags of a packet that left. */
export function tagsOf(fields: Packet): Tag[] {
  const outer = Number(fields['vlan_vid'] ?? 0n)
  const below = Number(fields['below'] ?? 0n)
  return [
    ...((outer & 0x1000) === 0 ? [] : [{ vid: outer & 0xfff, pcp: Number(fields['vlan_pcp'] ?? 0n) }]),
    ...((below & 0x1000) === 0 ? [] : [{ vid: below & 0xfff, pcp: below >> 13 }])
  ]
}

export function randomTag(r: Random): Tag {
  return { vid: r.pick([...VLANS, 7]), pcp: r.int(0, 7) }
}

/** What a workload of this port may send: mostly of one of its VLANs, and with one of its addresses. */
export function randomFrame(r: Random, bindings: readonly TruePort[], dst: string): Frame {
  const { vlan, addresses } = r.pick(bindings)
  const src = r.chance(0.6) ? r.maybe(addresses.map(({ mac }) => mac)) ?? STRANGER : r.pick([STRANGER, ...SHARED_MACS])
  const outer = vlan === undefined || vlan === 0 || r.chance(0.1) ? r.some([randomTag(r)], 0.3) : [{ vid: vlan, pcp: r.int(0, 7) }]
  const inner = vlan === undefined || outer.length === 0 ? [] : r.some([randomTag(r)], 0.2)
  const payload = r.weighted<Payload>([
    [3, { kind: 'other' }],
    [2, { kind: 'ip', src: r.pick([...WORKLOAD_IPS, linkLocalOf(src)]) }],
    [1, { kind: 'arp', sha: r.chance(0.8) ? src : STRANGER, spa: r.pick(WORKLOAD_IPS.filter((ip) => !ip.includes(':'))) }]
  ])
  return { src, dst, tags: [...outer, ...inner], payload }
}

/** The binding that takes a frame of its port, and what is left of the frame's tags; undefined = none does. */
export function enter({ tags }: Frame, bindings: readonly TruePort[], config: TrueConfig): (Inside & { readonly binding: TruePort }) | undefined {
  const [outer, ...rest] = tags
  const access = bindings.find(({ vlan }) => vlan === undefined)
  if (access !== undefined) {
    const isStripped = outer?.vid === 0 && !isCarrying(config, access.vni)
    return { binding: access, tags: isStripped ? rest : tags, pcp: 0, isHidden: isStripped }
  }
  const binding = bindings.find(({ vlan }) => vlan === (outer?.vid ?? 0))
  return binding && { binding, tags: rest, pcp: outer === undefined || outer.vid === 0 ? 0 : outer.pcp, isHidden: outer !== undefined }
}

/** How a frame leaves by a port; undefined = a trunk must not mistake the frame's own tag for one of its own. */
export function leave({ vlan }: TruePort, { tags, pcp, isHidden = false }: Inside): readonly Tag[] | undefined {
  if (vlan === undefined) return tags
  if (vlan > 0) return [{ vid: vlan, pcp }, ...tags]
  return tags.length === 0 || (tags[0]?.vid === 0 && !isHidden) ? tags : undefined
}

export function isCarrying(config: TrueConfig, vni: number): boolean {
  return config.option('evpn-inner-vlan', vni) === 'carry'
}

/** True when evpn-port-security has nothing against the frame. A second tag hides what a frame is. */
export function mayEnter(frame: Frame, binding: TruePort, { locals }: TrueVni, config: TrueConfig): boolean {
  if (config.option('evpn-port-security', binding.vni) !== 'true' || binding.unknown) return true
  const local = locals.find(({ mac, port }) => mac === frame.src && port?.name === binding.name)
  if (local === undefined || frame.tags.length > 1) return false
  const { payload } = frame
  if (payload.kind === 'other') return true
  if (payload.kind === 'arp') return payload.sha === frame.src && local.sources?.includes(payload.spa) !== false
  if (local.sources === undefined) return true
  const hasIpv6 = local.sources.some((ip) => ip.includes(':'))
  return local.sources.includes(payload.src) || (hasIpv6 && payload.src === linkLocalOf(frame.src))
}
