// The kernel's network devices: keyed by ifindex as the kernel does, found by name as users do; a bridge's VLAN
// devices are found by VID, as speakers do.
import type { LinkRow } from '../netlink/index.js'
import { KeyedRows } from './keyed.js'
import { NestedMap } from './nested.js'

/** Told for every device that appeared, changed or vanished; a rename has two different names. */
export type LinkChanged = (old: LinkRow | undefined, current: LinkRow | undefined) => void

export class LinkMirror {
  readonly #rows = new KeyedRows<LinkRow>()
  readonly #indexByName = new Map<string, number>()
  readonly #svis = new NestedMap<number, number, number>()
  readonly #changed: LinkChanged

  constructor(changed: LinkChanged) {
    this.#changed = changed
  }

  byIndex(ifindex: number): LinkRow | undefined {
    return this.#rows.get(String(ifindex))
  }

  byName(name: string): LinkRow | undefined {
    const ifindex = this.#indexByName.get(name)
    return ifindex === undefined ? undefined : this.byIndex(ifindex)
  }

  /** The VLAN device with this VID on a bridge. */
  svi(bridge: number, vid: number): LinkRow | undefined {
    const ifindex = this.#svis.get(bridge, vid)
    return ifindex === undefined ? undefined : this.byIndex(ifindex)
  }

  rows(): LinkRow[] {
    return [...this.#rows.rows.values()]
  }

  put(row: LinkRow): void {
    const old = this.#rows.put(String(row.ifindex), row)
    this.#unindex(old)
    this.#indexByName.set(row.name, row.ifindex)
    const lower = lowerOf(row)
    if (lower !== undefined) this.#svis.set(...lower, row.ifindex)
    this.#changed(old, row)
  }

  delete(ifindex: number): void {
    const old = this.#rows.delete(String(ifindex))
    if (old !== undefined) this.#gone(old)
  }

  beginResync(): void {
    this.#rows.beginResync()
  }

  finishResync(): void {
    for (const old of this.#rows.finishResync()) this.#gone(old)
  }

  #gone(old: LinkRow): void {
    this.#unindex(old)
    this.#changed(old, undefined)
  }

  /** Two devices that swap names pass through a state where the name already belongs to the other one. */
  #unindex(old: LinkRow | undefined): void {
    const lower = old && lowerOf(old)
    if (lower !== undefined && this.#svis.get(...lower) === old?.ifindex) this.#svis.delete(...lower)
    if (old !== undefined && this.#indexByName.get(old.name) === old.ifindex) this.#indexByName.delete(old.name)
  }
}

/** Where a VLAN device stands, and with which VID; undefined for others, and when that is in another network namespace. */
export function lowerOf({ link, linkNetnsid, vlanId }: LinkRow): readonly [lower: number, vid: number] | undefined {
  return link === undefined || vlanId === undefined || linkNetnsid !== undefined ? undefined : [link, vlanId]
}
