// The difference between what we want outside and what is there. Every sink has one; there is no second diff anywhere.
// A resync replaces the realized side and nothing else: what must be sent falls out.

/** One thing to bring about: `desired` undefined = delete, `realized` undefined = create, both = change. */
export interface Pending<V> {
  readonly key: string
  readonly desired: V | undefined
  readonly realized: V | undefined
}

interface Wanted<V> { readonly owner: string; readonly value: V }

export class Tracker<V> {
  readonly #wanted = new Map<string, Wanted<V>>()
  /** Keys that several owners want, with those who do not have it: content-derived ids can collide. */
  readonly #losers = new Map<string, Map<string, V>>()
  readonly #keysOfOwner = new Map<string, readonly string[]>()
  readonly #realized = new Map<string, V>()
  readonly #pending = new Set<string>()
  /** Keys that must not be touched now, with the reason: a foreign entry stands there, or it was refused. */
  readonly #blocked = new Map<string, string>()
  readonly #isEqual: (a: V, b: V) => boolean

  constructor(isEqual: (a: V, b: V) => boolean) {
    this.#isEqual = isEqual
  }

  get desiredCount(): number {
    return this.#wanted.size
  }

  get realizedCount(): number {
    return this.#realized.size
  }

  get pendingCount(): number {
    return this.#pending.size
  }

  /** Makes `entries` everything this owner wants; what it wanted before and no longer names is unwanted. */
  setOwned(owner: string, entries: readonly (readonly [key: string, value: V])[]): void {
    const before = this.#keysOfOwner.get(owner)
    if (before === undefined && entries.length === 0) return
    for (const key of before ?? []) {
      if (!entries.some(([kept]) => kept === key)) this.#unwant(owner, key)
    }
    for (const [key, value] of entries) this.#want(owner, key, value)
    if (entries.length === 0) this.#keysOfOwner.delete(owner)
    else this.#keysOfOwner.set(owner, entries.map(([key]) => key))
  }

  /** What the outside says of one key; undefined = nothing is there. */
  realize(key: string, value: V | undefined): void {
    if (value === undefined) this.#realized.delete(key)
    else this.#realized.set(key, value)
    this.#compare(key)
  }

  /** What the outside holds of ours, whole: after a (re)connect or an audit. */
  replaceRealized(entries: Iterable<readonly [key: string, value: V]>): void {
    this.#realized.clear()
    this.#pending.clear()
    for (const [key, value] of entries) this.#realized.set(key, value)
    for (const key of this.#realized.keys()) this.#compare(key)
    for (const key of this.#wanted.keys()) this.#compare(key)
  }

  realized(key: string): V | undefined {
    return this.#realized.get(key)
  }

  desired(key: string): V | undefined {
    return this.#wanted.get(key)?.value
  }

  realizedKeys(): string[] {
    return [...this.#realized.keys()]
  }

  /** Up to `limit` differences that may be worked on, oldest first. */
  pending(limit: number): Pending<V>[] {
    const batch: Pending<V>[] = []
    for (const key of this.#pending) {
      if (batch.length >= limit) break
      if (!this.#blocked.has(key)) batch.push({ key, desired: this.desired(key), realized: this.#realized.get(key) })
    }
    return batch
  }

  block(key: string, reason: string): void {
    this.#blocked.set(key, reason)
  }

  unblock(key: string): void {
    this.#blocked.delete(key)
  }

  blocked(): ReadonlyMap<string, string> {
    return this.#blocked
  }

  /** Keys several owners want: [key, the owner that has it, the owners that do not]. */
  collisions(): [key: string, winner: string, losers: string[]][] {
    return [...this.#losers].map(([key, losers]) => [key, this.#wanted.get(key)?.owner ?? '', [...losers.keys()]])
  }

  #want(owner: string, key: string, value: V): void {
    const held = this.#wanted.get(key)
    if (held !== undefined && held.owner !== owner) {
      // The lower name wins, whoever came first: desired state may not depend on the order of events.
      const [winner, loser] = held.owner < owner ? [held, { owner, value }] : [{ owner, value }, held]
      this.#losersOf(key).delete(winner.owner)
      this.#losersOf(key).set(loser.owner, loser.value)
      this.#wanted.set(key, winner)
    } else {
      this.#wanted.set(key, { owner, value })
    }
    this.#compare(key)
  }

  #unwant(owner: string, key: string): void {
    const losers = this.#losers.get(key)
    if (this.#wanted.get(key)?.owner !== owner) {
      losers?.delete(owner)
    } else {
      const next = losers && [...losers.keys()].sort()[0]
      if (losers === undefined || next === undefined) {
        this.#wanted.delete(key)
      } else {
        this.#wanted.set(key, { owner: next, value: losers.get(next) as V })
        losers.delete(next)
      }
    }
    if (losers?.size === 0) this.#losers.delete(key)
    this.#compare(key)
  }

  #losersOf(key: string): Map<string, V> {
    const losers = this.#losers.get(key) ?? new Map<string, V>()
    this.#losers.set(key, losers)
    return losers
  }

  #compare(key: string): void {
    const desired = this.#wanted.get(key)?.value
    const realized = this.#realized.get(key)
    const isSame = desired === undefined || realized === undefined ? desired === realized : this.#isEqual(desired, realized)
    if (isSame) this.#pending.delete(key)
    else this.#pending.add(key)
  }
}
