// The kernel's ARP and ND tables, keyed as the kernel does: device and IP.
import type { NeighRow } from '../netlink/index.js'
import type { Ip } from '../net/ip.js'
import { NestedRows } from './nested-rows.js'

export type NeighbourRow = NeighRow & { readonly dst: Ip }

/** Told when what a row means changed; reachability probing (NUD states of the kernel's own cache) included. */
export type NeighbourChanged = (ifindex: number, ip: Ip, old: NeighbourRow | undefined, current: NeighbourRow | undefined) => void

export class NeighbourMirror {
  readonly #rows = new NestedRows<NeighbourRow>()
  readonly #changed: NeighbourChanged

  constructor(changed: NeighbourChanged) {
    this.#changed = changed
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
    const isSame = held !== undefined && isSameNeighbour(held, row)
    // The same row again is no other row: a dump brings each as a new object.
    const old = this.#rows.put(row.ifindex, row.dst, isSame ? held : row)
    if (!isSame) this.#changed(row.ifindex, row.dst, old, row)
  }

  delete(row: NeighRow): void {
    if (!hasIp(row)) return
    const old = this.#rows.delete(row.ifindex, row.dst)
    if (old !== undefined) this.#gone(old)
  }

  beginResync(): void {
    this.#rows.beginResync()
  }

  finishResync(): void {
    for (const old of this.#rows.finishResync()) this.#gone(old)
  }

  #gone(old: NeighbourRow): void {
    this.#changed(old.ifindex, old.dst, old, undefined)
  }
}

function hasIp(row: NeighRow): row is NeighbourRow {
  return row.dst !== undefined
}

function isSameNeighbour(a: NeighbourRow, b: NeighbourRow): boolean {
  return a.lladdr === b.lladdr && a.state === b.state && a.flags === b.flags && a.protocol === b.protocol
}
