// What must be derived again at the next tick. A change marks the keys it can affect, and nothing else.
import type { VtepKey } from '../evpn/vtep.js'
import type { Ip } from '../net/ip.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'

/** Keys by VNI. All of a VNI that were marked at once are looked up when they are taken: there may be 100,000. */
export class KeysByVni<Key> {
  #keys = new Map<Vni, Set<Key>>()
  readonly #sources = new Map<Vni, Iterator<Key>[]>()
  /** Keys that were taken from the sources of a VNI which are not empty yet: several may name the same. */
  readonly #taken = new Map<Vni, Set<Key>>()

  add(vni: Vni, key: Key): void {
    const keys = this.#keys.get(vni)
    if (keys === undefined) this.#keys.set(vni, new Set([key]))
    else keys.add(key)
  }

  /** All that `keys` gives; what it gives has to be so until it was taken, or be marked when it changes. */
  addAll(vni: Vni, keys: Iterable<Key>): void {
    const sources = this.#sources.get(vni)
    // What was taken already is meant once more.
    this.#taken.delete(vni)
    if (sources === undefined) this.#sources.set(vni, [keys[Symbol.iterator]()])
    else sources.push(keys[Symbol.iterator]())
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0 && this.#sources.size === 0
  }

  /** Everything marked so far, or some of it: it is marked no longer. */
  take(limit = Infinity): Map<Vni, Set<Key>> {
    if (limit !== Infinity) return this.#takeSome(limit)
    for (const [vni, sources] of this.#sources) for (const source of sources) for (const key of rest(source)) this.add(vni, key)
    this.#sources.clear()
    this.#taken.clear()
    const all = this.#keys
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
    for (const [vni, sources] of this.#sources) {
      if (left <= 0) break
      left = this.#takeFromSources(vni, sources, left, taken)
    }
    return taken.#keys
  }

  /** Looks at up to `limit` keys, and returns how many it has not needed. */
  #takeFromSources(vni: Vni, sources: Iterator<Key>[], limit: number, to: KeysByVni<Key>): number {
    const taken = this.#taken.get(vni) ?? new Set<Key>()
    this.#taken.set(vni, taken)
    let left = limit
    for (let [source] = sources; source !== undefined; [source] = sources) {
      for (const key of rest(source)) {
        if (!taken.has(key)) to.add(vni, key)
        taken.add(key)
        if (--left === 0) return 0
      }
      sources.shift()
    }
    this.#sources.delete(vni)
    this.#taken.delete(vni)
    return left
  }
}

/** What an iterator has left; it goes on where it is left. */
function * rest<T>(iterator: Iterator<T>): IterableIterator<T> {
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) yield next.value
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

/** Takes every member out of a set, or the first ones. */
export function takeFrom<T>(set: Set<T>, limit = Infinity): T[] {
  const taken = limit < set.size ? [...set].slice(0, limit) : [...set]
  if (taken.length === set.size) set.clear()
  else for (const one of taken) set.delete(one)
  return taken
}
