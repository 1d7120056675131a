// The difference between what we want outside and what is there. Every sink has one; there is no second diff anywhere.
// A resync replaces the realized side and nothing else: what must be sent falls out.
import type { Copies, MapCopy } from '../net/copies.js'

/** One thing to bring about: `desired` undefined = delete, `realized` undefined = create, both = change. */
export interface Pending<V> {
  readonly key: string
  readonly desired: V | undefined
  readonly realized: V | undefined
  /** When the event came that made the difference, if that is known. */
  readonly since?: number | undefined
}

/** One key's both sides, in one object: with 200,000 of them, a second map would cost as much again. */
interface Entry<V> {
  /** Who wants it; undefined = nobody. */
  owner: string | undefined
  desired: V | undefined
  realized: V | undefined
}

export class Tracker<V> {
  readonly #entries = new Map<string, Entry<V>>()
  /** Keys that several owners want, with those who do not have it: content-derived ids can collide. */
  readonly #losers = new Map<string, Map<string, V>>()
  readonly #keysOfOwner = new Map<string, readonly string[]>()
  /** With the time of the event that made the difference. */
  readonly #pending = new Map<string, number | undefined>()
  /** The same of keys that others lead to: they come before all others, and go after them. */
  readonly #pendingSteps = new Map<string, number | undefined>()
  /** Keys that must not be touched now, with the reason: a foreign entry stands there, or it was refused. */
  readonly #blocked = new Map<string, string>()
  /** Those of them that are blocked only as long as the same is wanted. */
  readonly #blockedAsWanted = new Set<string>()
  readonly #isEqual: (a: V, b: V) => boolean
  readonly #isStep: (key: string) => boolean
  /** When the event came that changes what is wanted from here on, if there is one. */
  eventAt: number | undefined
  /** Of the last setOne. */
  #lastOwner = ''
  #desiredCount = 0
  #realizedCount = 0
  /** While it is forked. */
  #forking: { readonly entries: MapCopy<string, Entry<V>>, readonly owners: MapCopy<string, readonly string[]> } | undefined

  /** `isStep`: whether others may lead to what a key names, so that it has to be there before they do and as long as they do. */
  constructor(isEqual: (a: V, b: V) => boolean, isStep: (key: string) => boolean = () => false) {
    this.#isEqual = isEqual
    this.#isStep = isStep
  }

  get desiredCount(): number {
    return this.#desiredCount
  }

  get realizedCount(): number {
    return this.#realizedCount
  }

  get pendingCount(): number {
    return this.#pending.size + this.#pendingSteps.size
  }

  /** Makes `entries` everything this owner wants; what it wanted before and no longer names is unwanted. */
  setOwned(owner: string, entries: readonly (readonly [key: string, value: V])[]): void {
    const before = this.#keysOfOwner.get(owner)
    if (before === undefined && entries.length === 0) return
    const keys = entries.map(([key]) => key)
    if (before !== undefined) {
      const kept = new Set(keys)
      for (const key of before) {
        if (!kept.has(key)) this.#unwant(owner, key)
      }
    }
    for (const [key, value] of entries) this.#want(owner, key, value)
    this.#forking?.owners.keep(owner)
    if (entries.length === 0) this.#keysOfOwner.delete(owner)
    else this.#keysOfOwner.set(owner, keys)
  }

  /** One of many keys that an owner wants, or no longer does (undefined), each by itself: nothing else is kept of it than the entry. */
  setOne(owner: string, key: string, value: V | undefined): void {
    // Keys of one owner come in a row: of its equal names one is enough to keep.
    if (owner !== this.#lastOwner) this.#lastOwner = owner
    if (value === undefined) this.#unwant(this.#lastOwner, key)
    else this.#want(this.#lastOwner, key, value)
  }

  /** What the outside says of one key; undefined = nothing is there. */
  realize(key: string, value: V | undefined): void {
    this.#forking?.entries.keep(key)
    const entry = this.#entry(key)
    this.#realizedCount += Number(value !== undefined) - Number(entry.realized !== undefined)
    const isDesired = value !== undefined && entry.desired !== undefined && this.#isEqual(value, entry.desired)
    entry.realized = isDesired ? entry.desired : value
    this.#compare(key, entry)
  }

  /** What the outside holds of ours, whole: after a (re)connect or an audit. */
  replaceRealized(entries: Iterable<readonly [key: string, value: V]>): void {
    if (this.#forking !== undefined) for (const key of this.#entries.keys()) this.#forking.entries.keep(key)
    for (const entry of this.#entries.values()) entry.realized = undefined
    this.#realizedCount = 0
    for (const [key, value] of entries) this.realize(key, value)
    for (const [key, entry] of this.#entries) this.#compare(key, entry)
  }

  realized(key: string): V | undefined {
    return this.#entries.get(key)?.realized
  }

  desired(key: string): V | undefined {
    return this.#entries.get(key)?.desired
  }

  /** Who wants this key, or has it if several do. */
  owner(key: string): string | undefined {
    return this.#entries.get(key)?.owner
  }

  /** True when this is what is known to be there. */
  isRealized(key: string, value: V | undefined): boolean {
    return this.#isSame(value, this.realized(key))
  }

  /** True when this is what is wanted. */
  isDesired(key: string, value: V | undefined): boolean {
    return this.#isSame(value, this.desired(key))
  }

  /** What this owner wants, and may have to share. */
  keysOf(owner: string): readonly string[] {
    return this.#keysOfOwner.get(owner) ?? []
  }

  /** True when what is there is not what is wanted. */
  isPending(key: string): boolean {
    return this.#pending.has(key) || this.#pendingSteps.has(key)
  }

  realizedKeys(): string[] {
    return [...this.#entries].filter(([, entry]) => entry.realized !== undefined).map(([key]) => key)
  }

  /** Up to `limit` differences that may be worked on, oldest first, steps before and after all others; without those that would delete something, if told so. */
  pending(limit: number, mayDelete = true): Pending<V>[] {
    const batch: Pending<V>[] = []
    const take = (from: ReadonlyMap<string, number | undefined>, isWanted: (entry: Entry<V>) => boolean) => {
      for (const [key, since] of from) {
        if (batch.length >= limit) break
        const entry = this.#blocked.has(key) ? undefined : this.#entries.get(key)
        if (entry !== undefined && isWanted(entry)) batch.push({ key, desired: entry.desired, realized: entry.realized, since })
      }
    }
    take(this.#pendingSteps, ({ desired }) => desired !== undefined)
    take(this.#pending, ({ desired }) => mayDelete || desired !== undefined)
    if (mayDelete) take(this.#pendingSteps, ({ desired }) => desired === undefined)
    return batch
  }

  /** All differences, blocked or not, without an order. */
  * differences(): IterableIterator<Pending<V>> {
    for (const pending of [this.#pendingSteps, this.#pending]) {
      for (const key of pending.keys()) yield { key, desired: this.desired(key), realized: this.realized(key) }
    }
  }

  /** True while something that is there must change or go, and may not be touched now. */
  get isHeldBack(): boolean {
    for (const key of this.#blocked.keys()) {
      if (this.isPending(key) && this.realized(key) !== undefined) return true
    }
    return false
  }

  /** Blocks a key until it is unblocked, whatever is wanted of it meanwhile. */
  block(key: string, reason: string): void {
    this.#blocked.set(key, reason)
    this.#blockedAsWanted.delete(key)
  }

  unblock(key: string): void {
    this.#blocked.delete(key)
    this.#blockedAsWanted.delete(key)
  }

  /** Blocks a key until something else is wanted of it, or it is as wanted. */
  blockAsWanted(key: string, reason: string): void {
    this.#blocked.set(key, reason)
    this.#blockedAsWanted.add(key)
  }

  blockedAsWanted(): ReadonlySet<string> {
    return this.#blockedAsWanted
  }

  blocked(): ReadonlyMap<string, string> {
    return this.#blocked
  }

  /** Keys several owners want: [key, the owner that has it, the owners that do not]. */
  collisions(): [key: string, winner: string, losers: string[]][] {
    return [...this.#losers].map(([key, losers]) => [key, this.#entries.get(key)?.owner ?? '', [...losers.keys()]])
  }

  /**
   * Another tracker that wants the same, complete when `copies` are. `isDone`: and has all of it, so that what is pending there then is
   * what a change would do. One at a time.
   */
  fork(isDone: boolean, copies: Copies): Tracker<V> {
    const fork = new Tracker(this.#isEqual, this.#isStep)
    const show = ({ owner, desired, realized }: Entry<V>) => (desired === undefined ? undefined : { owner, desired, realized: isDone ? desired : realized })
    this.#forking = { entries: copies.begin(this.#entries, fork.#entries, show), owners: copies.begin(this.#keysOfOwner, fork.#keysOfOwner) }
    copies.atEnd(() => { this.#forking = undefined })
    for (const [key, losers] of this.#losers) fork.#losers.set(key, new Map(losers))
    fork.#desiredCount = this.#desiredCount
    fork.#realizedCount = isDone ? this.#desiredCount : this.#realizedCount
    return fork
  }

  #want(owner: string, key: string, value: V): void {
    this.#forking?.entries.keep(key)
    const entry = this.#entry(key)
    const { owner: holder, desired } = entry
    if (holder === undefined || desired === undefined) {
      this.#desiredCount++
    } else if (holder !== owner) {
      // The lower name wins, whoever came first: desired state may not depend on the order of events.
      if (holder < owner) {
        this.#losersOf(key).set(owner, value)
        return
      }
      this.#losersOf(key).delete(owner)
      this.#losersOf(key).set(holder, desired)
    }
    if (this.#blockedAsWanted.has(key) && (desired === undefined || !this.#isEqual(desired, value))) this.unblock(key)
    entry.owner = owner
    entry.desired = value
    // Of two equal values one is enough to keep.
    if (entry.realized !== undefined && this.#isEqual(entry.realized, value)) entry.realized = value
    this.#compare(key, entry)
  }

  #unwant(owner: string, key: string): void {
    this.#forking?.entries.keep(key)
    const entry = this.#entry(key)
    const losers = this.#losers.get(key)
    if (entry.owner !== owner) {
      losers?.delete(owner)
    } else {
      if (this.#blockedAsWanted.has(key)) this.unblock(key)
      const next = losers && [...losers.keys()].sort()[0]
      entry.owner = next
      entry.desired = next === undefined ? undefined : losers?.get(next)
      if (next === undefined) this.#desiredCount--
      else losers?.delete(next)
    }
    if (losers?.size === 0) this.#losers.delete(key)
    this.#compare(key, entry)
  }

  #entry(key: string): Entry<V> {
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const entry: Entry<V> = { owner: undefined, desired: undefined, realized: undefined }
    this.#entries.set(key, entry)
    return entry
  }

  #losersOf(key: string): Map<string, V> {
    const losers = this.#losers.get(key) ?? new Map<string, V>()
    this.#losers.set(key, losers)
    return losers
  }

  #isSame(a: V | undefined, b: V | undefined): boolean {
    return a === undefined || b === undefined ? a === b : this.#isEqual(a, b)
  }

  #compare(key: string, { desired, realized }: Entry<V>): void {
    const isSame = this.#isSame(desired, realized)
    const pending = this.#isStep(key) ? this.#pendingSteps : this.#pending
    if (isSame) pending.delete(key)
    else if (!pending.has(key)) pending.set(key, this.eventAt)
    if (isSame && this.#blockedAsWanted.has(key)) this.unblock(key)
    if (desired === undefined && realized === undefined) this.#entries.delete(key)
  }
}
