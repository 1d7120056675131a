// The kernel's ARP and ND tables, keyed as the kernel does: device and IP.
import { NUD, type NeighRow } from '../netlink/index.js'
import type { Ip } from '../net/ip.js'
import { KEEP_NOTHING, type Keeper } from './keeper.js'
import { NestedRows } from './nested-rows.js'

export type NeighbourRow = NeighRow & { readonly dst: Ip }

/** Told when what a row means changed; reachability probing (NUD states of the kernel's own cache) included. */
export type NeighbourChanged = (ifindex: number, ip: Ip, old: NeighbourRow | undefined, current: NeighbourRow | undefined) => void

export class NeighbourMirror {
  readonly #rows = new NestedRows<NeighbourRow>()
  readonly #changed: NeighbourChanged
  readonly #keeper: Keeper<NeighbourRow>

  constructor(changed: NeighbourChanged, keeper: Keeper<NeighbourRow> = KEEP_NOTHING) {
    this.#changed = changed
    this.#keeper = keeper
  }

  get(ifindex: number, ip: Ip): NeighbourRow | undefined {
    return this.#rows.get(ifindex, ip)
  }

  onDevice(ifindex: number): ReadonlyMap<Ip, NeighbourRow> {
    return this.#rows.under(ifindex)
  }

  put(row: NeighRow): void {
    if (!hasIp(row)) return
    const held = this.#rows.get(row.ifindex, row.dst)
    // Before a neighbour is deleted, its kernel makes it FAILED and tells so (net/core/neighbour.c, neigh_delete): that says no more.
    if (held !== undefined && (row.state & NUD.FAILED) !== 0 && this.#keeper.keeps(held)) return
    const isSame = held !== undefined && isSameNeighbour(held, row)
    // The same row again is no other row: a dump brings each as a new object.
    const old = this.#rows.put(row.ifindex, row.dst, isSame ? held : row)
    this.#keeper.written(row, held)
    if (!isSame) this.#changed(row.ifindex, row.dst, old, row)
  }

  delete(row: NeighRow): void {
    if (!hasIp(row)) return
    const old = this.#rows.get(row.ifindex, row.dst)
    if (old !== undefined && !this.#keeper.keeps(old)) this.release(old)
  }

  /** A row that was kept goes, unless another has taken its place. */
  release(row: NeighbourRow): void {
    if (this.#rows.get(row.ifindex, row.dst) !== row) return
    this.#rows.delete(row.ifindex, row.dst)
    this.#gone(row)
  }

  /** Puts a row where none is, though the outside does not say so. False when there is one. */
  restore(row: NeighbourRow): boolean {
    if (this.#rows.get(row.ifindex, row.dst) !== undefined) return false
    this.#rows.put(row.ifindex, row.dst, row)
    this.#changed(row.ifindex, row.dst, undefined, row)
    return true
  }

  beginResync(): void {
    this.#rows.beginResync()
  }

  finishResync(): void {
    for (const old of this.#rows.finishResync((row) => this.#keeper.keeps(row))) this.#gone(old)
  }

  #gone(old: NeighbourRow): void {
    this.#keeper.dropped(old)
    this.#changed(old.ifindex, old.dst, old, undefined)
  }
}

function hasIp(row: NeighRow): row is NeighbourRow {
  return row.dst !== undefined
}

function isSameNeighbour(a: NeighbourRow, b: NeighbourRow): boolean {
  return a.lladdr === b.lladdr && a.state === b.state && a.flags === b.flags && a.protocol === b.protocol
}
