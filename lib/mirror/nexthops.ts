// The kernel's nexthops for FDB rows: single ones (a VTEP's address) and groups of them (the VTEPs of a multihomed
// Ethernet segment, with weights). Keyed by id, as the kernel does. Replacing a single nexthop changes every group that
// names it, and the kernel tells of no group then; nexthops of IP routes stand in the same table and are passed over.
import { isDeepStrictEqual } from 'node:util'
import type { NexthopRow } from '../netlink/index.js'
import type { Ip } from '../net/ip.js'
import { KEEP_NOTHING, type Keeper } from './keeper.js'
import { KeyedRows } from './keyed.js'
import { NestedMap } from './nested.js'

/** One way to a MAC: a VTEP, and its share among the others. */
export interface NexthopPath {
  readonly ip: Ip
  /** 1..65536. */
  readonly weight: number
}

export interface NexthopChanges {
  /** The paths of this nexthop or group changed. */
  paths(id: number): void
  /** This nexthop or group went. The kernel deletes the FDB rows of a group with it, and tells nobody (measured on 6.18). */
  gone(id: number): void
  /** It went, was kept here, and is there again: the FDB rows that went with it are not. */
  again(id: number): void
}

export class NexthopMirror {
  readonly #rows = new KeyedRows<NexthopRow>()
  readonly #groupsOfMember = new NestedMap<number, number, true>()
  readonly #changes: NexthopChanges
  readonly #keeper: Keeper<NexthopRow>

  constructor(changes: NexthopChanges, keeper: Keeper<NexthopRow> = KEEP_NOTHING) {
    this.#changes = changes
    this.#keeper = keeper
  }

  get size(): number {
    return this.#rows.size
  }

  has(id: number): boolean {
    return this.#rows.get(String(id)) !== undefined
  }

  /** The paths of a nexthop or group, one for each VTEP, in the order of their addresses. Members that lead nowhere are left out. */
  paths(id: number): readonly NexthopPath[] {
    const row = this.#rows.get(String(id))
    const members = row?.group ?? (row === undefined ? [] : [{ id, weight: 1 }])
    const weights = new Map<Ip, number>()
    for (const member of members) {
      const ip = this.#rows.get(String(member.id))?.gateway
      // Two nexthops of a group may have one gateway.
      if (ip !== undefined) weights.set(ip, (weights.get(ip) ?? 0) + member.weight)
    }
    return [...weights].map(([ip, weight]) => ({ ip, weight })).sort((a, b) => (a.ip < b.ip ? -1 : 1))
  }

  put(row: NexthopRow): void {
    const held = this.#rows.get(String(row.id))
    if (!row.fdb) {
      // An id that was an FDB nexthop's, while we were not told.
      if (held !== undefined) this.release(held)
      return
    }
    const wasGone = held !== undefined && this.#keeper.isKept(held)
    const old = this.#rows.put(String(row.id), row)
    this.#keeper.written(row, held)
    if (wasGone) this.#changes.again(row.id)
    if (isDeepStrictEqual(old, row)) return
    this.#indexMembers(old, row)
    this.#tellPaths(row.id)
  }

  delete(id: number): void {
    const old = this.#rows.get(String(id))
    if (old !== undefined && !this.#keeper.keeps(old)) this.release(old)
  }

  /** One that was kept goes, unless another has taken its place. */
  release(row: NexthopRow): void {
    if (this.#rows.get(String(row.id)) !== row) return
    this.#rows.delete(String(row.id))
    this.#gone(row)
  }

  /** Puts one where none is, though the outside does not say so. False when there is one. */
  restore(row: NexthopRow): boolean {
    if (this.has(row.id)) return false
    this.#rows.put(String(row.id), row)
    this.#indexMembers(undefined, row)
    this.#tellPaths(row.id)
    return true
  }

  beginResync(): void {
    this.#rows.beginResync()
  }

  finishResync(): void {
    for (const old of this.#rows.finishResync((row) => this.#keeper.keeps(row))) this.#gone(old)
  }

  #gone(old: NexthopRow): void {
    this.#keeper.dropped(old)
    this.#indexMembers(old, undefined)
    this.#tellPaths(old.id)
    this.#changes.gone(old.id)
  }

  #indexMembers(old: NexthopRow | undefined, current: NexthopRow | undefined): void {
    for (const member of old?.group ?? []) this.#groupsOfMember.delete(member.id, old?.id ?? 0)
    for (const member of current?.group ?? []) this.#groupsOfMember.set(member.id, current?.id ?? 0, true)
  }

  #tellPaths(id: number): void {
    this.#changes.paths(id)
    for (const group of this.#groupsOfMember.under(id).keys()) this.#changes.paths(group)
  }
}
