// The kernel's ARP and ND tables, keyed as the kernel does: device and IP.
import type { NeighRow } from '../netlink/index.js'
import type { Ip } from '../net/ip.js'
import { KeyedRows } from './keyed.js'
import { NestedMap } from './nested.js'

export type NeighbourRow = NeighRow & { readonly dst: Ip }

/** Told when what a row means changed; reachability probing (NUD states of the kernel's own cache) included. */
export type NeighbourChanged = (ifindex: number, ip: Ip, old: NeighbourRow | undefined, current: NeighbourRow | undefined) => void

export class NeighbourMirror {
  readonly #rows = new KeyedRows<NeighbourRow>()
  readonly #byDevice = new NestedMap<number, Ip, NeighbourRow>()
  readonly #changed: NeighbourChanged

  constructor(changed: NeighbourChanged) {
    this.#changed = changed
  }

  get(ifindex: number, ip: Ip): NeighbourRow | undefined {
    return this.#byDevice.get(ifindex, ip)
  }

  onDevice(ifindex: number): ReadonlyMap<Ip, NeighbourRow> {
    return this.#byDevice.under(ifindex)
  }

  put(row: NeighRow): void {
    if (!hasIp(row)) return
    const key = `${row.ifindex} ${row.dst}`
    const held = this.#rows.get(key)
    const isSame = held !== undefined && isSameNeighbour(held, row)
    // The same row again is no other row: a dump brings each as a new object.
    const old = this.#rows.put(key, isSame ? held : row)
    if (isSame) return
    this.#byDevice.set(row.ifindex, row.dst, row)
    this.#changed(row.ifindex, row.dst, old, row)
  }

  delete(row: NeighRow): void {
    if (!hasIp(row)) return
    const old = this.#rows.delete(`${row.ifindex} ${row.dst}`)
    if (old !== undefined) this.#gone(old)
  }

  beginResync(): void {
    this.#rows.beginResync()
  }

  finishResync(): void {
    for (const old of this.#rows.finishResync()) this.#gone(old)
  }

  #gone(old: NeighbourRow): void {
    this.#byDevice.delete(old.ifindex, old.dst)
    this.#changed(old.ifindex, old.dst, old, undefined)
  }
}

function hasIp(row: NeighRow): row is NeighbourRow {
  return row.dst !== undefined
}

function isSameNeighbour(a: NeighbourRow, b: NeighbourRow): boolean {
  return a.lladdr === b.lladdr && a.state === b.state && a.flags === b.flags && a.protocol === b.protocol
}
