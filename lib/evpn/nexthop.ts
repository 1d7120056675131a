// Several VTEPs for one MAC: a kernel nexthop group, as one VNI can use it. FRR makes one group for each Ethernet segment, of the
// VTEPs that have it in any VNI (bgp_evpn_mh.c: an ES VTEP is active while it has an active EVI), so a member need be none of this one.
import type { LocalIps } from '../config/system.js'
import type { NexthopPath } from '../mirror/nexthops.js'
import { ipFamily, isMulticastIp, isUnspecifiedIp, type Ip } from '../net/ip.js'
import type { Vtep } from './vtep.js'

export type { NexthopPath }

/** The members of a nexthop group that a VNI leaves out: their addresses in order, a blank between two; '' = it uses all that can be used. */
export type LeftOut = string

/**
 * What a VNI with these local addresses leaves out: members of a family that it has no address of, and those that are no VTEP of
 * it by rows of their own. Where no member is announced for flooding nobody says who is (the underlay may do that by multicast), and
 * where it can reach none, which it is makes no difference: then it is none.
 */
export function leftOut(paths: readonly NexthopPath[], localIps: LocalIps, vtepOf: (ip: Ip) => Pick<Vtep, 'flood' | 'own'> | undefined): LeftOut {
  const able = paths.filter((path) => leadsToOne(path))
  const reachable = able.filter(({ ip }) => localIps[ipFamily(ip)] !== undefined)
  const used = reachable.some(({ ip }) => vtepOf(ip)?.flood === true) ? reachable.filter(({ ip }) => vtepOf(ip)?.own === true) : reachable
  return used.length === 0 ? '' : able.filter((path) => !used.includes(path)).map(({ ip }) => ip).join(' ')
}

function leadsToOne({ ip }: NexthopPath): boolean {
  return !isMulticastIp(ip) && !isUnspecifiedIp(ip)
}

/** Open vSwitch has 256 values of dp_hash to share among a group's buckets; with more buckets, each new flow is an upcall. */
export const MAX_PATHS = 256

/** The paths that packets can take, but for those left out: at most 256, with the kernel's weights. */
export function usablePaths(paths: readonly NexthopPath[], without: LeftOut): readonly NexthopPath[] {
  const ips = new Set(without.split(' '))
  return paths.filter((path) => leadsToOne(path) && !ips.has(path.ip)).slice(0, MAX_PATHS)
}

/**
 * Open vSwitch needs as many values of dp_hash as the smallest weight goes into the sum of all. Weights that are too far
 * apart for its 256 are brought closer: the smaller ones get a little more than their share.
 */
export function fitWeights(paths: readonly NexthopPath[]): readonly NexthopPath[] {
  const sum = paths.reduce((total, { weight }) => total + weight, 0)
  const least = Math.min(...paths.map(({ weight }) => weight))
  if (sum <= MAX_PATHS * least && sum <= MAX_WEIGHT) return paths
  const scale = (MAX_PATHS - paths.length) / sum
  return paths.map(({ ip, weight }) => ({ ip, weight: 1 + Math.floor(weight * scale) }))
}

/** The weight of a bucket has 16 bits. */
const MAX_WEIGHT = 0xffff
