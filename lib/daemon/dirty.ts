// What must be derived again at the next tick. A change marks the keys it can affect, and nothing else.
import type { VtepKey } from '../evpn/vtep.js'
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'

/** Keys by VNI. */
export class KeysByVni<Key> {
  #keys = new Map<Vni, Set<Key>>()

  add(vni: Vni, key: Key): void {
    const keys = this.#keys.get(vni)
    if (keys === undefined) this.#keys.set(vni, new Set([key]))
    else keys.add(key)
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0
  }

  /** Everything marked so far, or some of it: it is marked no longer. */
  take(limit = Infinity): Map<Vni, Set<Key>> {
    const all = this.#keys
    if (limit !== Infinity) return this.#takeSome(limit)
    this.#keys = new Map()
    return all
  }

  #takeSome(limit: number): Map<Vni, Set<Key>> {
    const taken = new KeysByVni<Key>()
    let left = limit
    for (const [vni, keys] of this.#keys) {
      for (const key of keys) {
        if (left-- === 0) return taken.#keys
        taken.add(vni, key)
        keys.delete(key)
      }
      this.#keys.delete(vni)
    }
    return taken.#keys
  }
}

export class Dirty {
  database = false
  /** Uuids of OVSDB rows that changed since the configuration was read; undefined = any may have changed. */
  rows: Set<string> | undefined = new Set()
  /** The tunnel ports' own flows. */
  tunnels = false
  /** Something a standing notice is made from. */
  notices = true
  readonly domains = new Set<Vni>()
  /** The workload ports' own flows, by port name. */
  readonly ports = new Set<string>()
  readonly floods = new Set<Vni>()
  /** VTEPs whose packets every VNI with evpn-decap member lets in. */
  readonly members = new Set<VtepKey>()
  /** Ids of kernel nexthops. */
  readonly nexthops = new Set<number>()
  /** Those of them that MACs of a VNI are behind. */
  readonly nexthopUses = new KeysByVni<number>()
  readonly macs = new KeysByVni<Mac>()
  readonly vteps = new KeysByVni<VtepKey>()
  readonly ips = new KeysByVni<Ip>()

  get isEmpty(): boolean {
    const sets = [this.domains, this.ports, this.floods, this.members, this.nexthops]
    return !this.database && !this.tunnels && sets.every(({ size }) => size === 0) && this.macs.isEmpty && this.vteps.isEmpty && this.ips.isEmpty && this.nexthopUses.isEmpty
  }
}

/** Takes every member out of a set. */
export function takeAll<T>(set: Set<T>): T[] {
  const all = [...set]
  set.clear()
  return all
}
