// Bucket ids, derived from content, so that one member more or less is one bucket more or less.
import { hash32 } from '../net/hash.js'
import { ipFamily, ipToBytes, type Ip } from '../net/ip.js'

/** OpenFlow 1.5 reserves bucket ids from this one on. */
const MAX_BUCKET_ID = 0xffffff00

/**
 * Ids for the members of one group. Where two want the same, the later in the order of `key` takes the next free one: still a
 * function of the set alone.
 */
export function bucketIds<Member>(members: readonly Member[], key: (member: Member) => string, wanted: (member: Member) => number): [number, Member][] {
  const taken = new Set<number>()
  const sorted = members.map((member): [string, Member] => [key(member), member]).sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.map(([, member]) => {
    let id = wanted(member) % MAX_BUCKET_ID
    while (taken.has(id)) id = (id + 1) % MAX_BUCKET_ID
    taken.add(id)
    return [id, member]
  })
}

/** An IPv4 address is a number itself, an IPv6 address is hashed. */
export function ipNumber(ip: Ip): number {
  return ipFamily(ip) === 4 ? ipToBytes(ip).readUInt32BE() : hash32(ip)
}
