// IPs of learned MACs, as packets of ARP, ND and DHCP tell them. Packets fill it, so it is bounded: the IPs that were not
// heard of for the longest time go first, of one MAC and of all.
import { LRUCache } from 'lru-cache'
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import { NestedMap } from './nested.js'

/** The most that is kept, over all MACs. */
export const MAX_SNOOPED = 50_000
/** The most IPs of one MAC: a host with more is a router or a liar. */
export const MAX_OF_MAC = 16

interface Row { readonly vni: Vni, readonly mac: Mac, readonly ip: Ip }

export class SnoopedMirror {
  readonly #rows: LRUCache<string, Row>
  /** Of each MAC, the one heard of last at the end. */
  readonly #ofMac = new NestedMap<Vni, Mac, Set<Ip>>()
  readonly #changed: (vni: Vni, mac: Mac, ip: Ip) => void

  constructor(changed: (vni: Vni, mac: Mac, ip: Ip) => void, max = MAX_SNOOPED) {
    this.#changed = changed
    this.#rows = new LRUCache({
      // A limit of sizes: with one of entries, memory for all of them would be taken at once.
      maxSize: max,
      sizeCalculation: () => 1,
      dispose: (row, _key, reason) => {
        if (reason === 'evict') this.#dropped(row)
      }
    })
  }

  /** Another mirror of the same rows. */
  copy(changed: (vni: Vni, mac: Mac, ip: Ip) => void): SnoopedMirror {
    let isComplete = false
    const copy = new SnoopedMirror((vni, mac, ip) => {
      if (isComplete) changed(vni, mac, ip)
    })
    for (const vni of this.#ofMac.outers()) {
      for (const [mac, ips] of this.#ofMac.under(vni)) for (const ip of ips) copy.put({ vni, mac, ip })
    }
    isComplete = true
    return copy
  }

  get size(): number {
    return this.#rows.size
  }

  macOf(vni: Vni, ip: Ip): Mac | undefined {
    return this.#rows.peek(keyOf(vni, ip))?.mac
  }

  ipsOf(vni: Vni, mac: Mac): ReadonlySet<Ip> {
    return this.#ofMac.get(vni, mac) ?? new Set()
  }

  /** All of a VNI, by MAC. */
  under(vni: Vni): ReadonlyMap<Mac, ReadonlySet<Ip>> {
    return this.#ofMac.under(vni)
  }

  /** A MAC was heard to have an IP: whoever had it before has it no more. */
  put(row: Row): void {
    const { vni, mac, ip } = row
    const key = keyOf(vni, ip)
    const old = this.#rows.get(key)
    if (old !== undefined && old.mac !== mac) this.#delete(old)
    const ips = this.#ofMac.get(vni, mac) ?? new Set()
    const isNew = !ips.delete(ip)
    ips.add(ip)
    if (!isNew) return
    this.#ofMac.set(vni, mac, ips)
    const [first] = ips
    if (ips.size > MAX_OF_MAC && first !== undefined) this.#delete({ vni, mac, ip: first })
    this.#rows.set(key, row)
    this.#changed(vni, mac, ip)
  }

  /** The MAC is no longer here. */
  forget(vni: Vni, mac: Mac): void {
    for (const ip of [...this.ipsOf(vni, mac)]) this.#delete({ vni, mac, ip })
  }

  #delete(row: Row): void {
    this.#rows.delete(keyOf(row.vni, row.ip))
    this.#dropped(row)
  }

  #dropped({ vni, mac, ip }: Row): void {
    const ips = this.#ofMac.get(vni, mac)
    ips?.delete(ip)
    if (ips?.size === 0) this.#ofMac.delete(vni, mac)
    this.#changed(vni, mac, ip)
  }
}

function keyOf(vni: Vni, ip: Ip): string {
  return `${vni} ${ip}`
}
