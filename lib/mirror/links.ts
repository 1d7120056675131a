// The kernel's network devices: keyed by ifindex as the kernel does, found by name as users do.
import type { LinkRow } from '../netlink/index.js'
import { KeyedRows } from './keyed.js'

/** Told for every device that appeared, changed or vanished; a rename has two different names. */
export type LinkChanged = (old: LinkRow | undefined, current: LinkRow | undefined) => void

export class LinkMirror {
  readonly #rows = new KeyedRows<LinkRow>()
  readonly #indexByName = new Map<string, number>()
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

  rows(): LinkRow[] {
    return [...this.#rows.rows.values()]
  }

  put(row: LinkRow): void {
    const old = this.#rows.put(String(row.ifindex), row)
    this.#forgetName(old)
    this.#indexByName.set(row.name, row.ifindex)
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
    this.#forgetName(old)
    this.#changed(old, undefined)
  }

  /** Two devices that swap names pass through a state where the name already belongs to the other one. */
  #forgetName(old: LinkRow | undefined): void {
    if (old !== undefined && this.#indexByName.get(old.name) === old.ifindex) this.#indexByName.delete(old.name)
  }
}
