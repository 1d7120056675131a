// Several VTEPs for one MAC: a kernel nexthop group, as one VNI can use it. All VNIs share the group in the switch; only
// of a group with members of both address families a VNI that has a local address of one alone leaves out the others.
import type { LocalIps } from '../config/system.js'
import type { NexthopPath } from '../mirror/nexthops.js'
import { ipFamily, isMulticastIp, isUnspecifiedIp, type IpFamily } from '../net/ip.js'

export type { NexthopPath }

/** Which members of a nexthop group are used: those of one family, or all. */
export type Members = IpFamily | 'all'

/** The members that a VNI with these local addresses uses. Where it can use none, which it is makes no difference. */
export function membersFor(paths: readonly NexthopPath[], localIps: LocalIps): Members {
  if (!isMixed(paths)) return 'all'
  if (localIps[4] === undefined) return localIps[6] === undefined ? 'all' : 6
  return localIps[6] === undefined ? 4 : 'all'
}

/** True for members of both families: only those differ from VNI to VNI. */
export function isMixed(paths: readonly NexthopPath[]): boolean {
  return new Set(paths.map(({ ip }) => ipFamily(ip))).size > 1
}

/** Open vSwitch has 256 values of dp_hash to share among a group's buckets; with more buckets, each new flow is an upcall. */
export const MAX_PATHS = 256

/** The paths of these members that packets can take, at most 256, with the kernel's weights. */
export function usablePaths(paths: readonly NexthopPath[], members: Members): readonly NexthopPath[] {
  const isUsable = ({ ip }: NexthopPath) => (members === 'all' || ipFamily(ip) === members) && !isMulticastIp(ip) && !isUnspecifiedIp(ip)
  return paths.filter(isUsable).slice(0, MAX_PATHS)
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
