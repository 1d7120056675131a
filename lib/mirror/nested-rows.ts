// Rows under two keys: what one asks for as a whole (a device, a bridge, an address family), and what names one row in it.
// The one place that holds them: with 100,000 of them, an index beside the rows would cost as much again.
import { KeyedRows } from './keyed.js'

type Outer = string | number

export class NestedRows<Row> {
  readonly #tables = new Map<Outer, KeyedRows<Row>>()
  #isResyncing = false

  get size(): number {
    let size = 0
    for (const table of this.#tables.values()) size += table.size
    return size
  }

  get(outer: Outer, key: string): Row | undefined {
    return this.#tables.get(outer)?.get(key)
  }

  /** Everything under one outer key; an empty map when there is nothing. */
  under(outer: Outer): ReadonlyMap<string, Row> {
    return this.#tables.get(outer)?.rows ?? new Map<string, Row>()
  }

  outers(): Iterable<Outer> {
    return this.#tables.keys()
  }

  /** Stores the row and returns the one it replaced. */
  put(outer: Outer, key: string, row: Row): Row | undefined {
    let table = this.#tables.get(outer)
    if (table === undefined) {
      table = new KeyedRows<Row>()
      if (this.#isResyncing) table.beginResync()
      this.#tables.set(outer, table)
    }
    return table.put(key, row)
  }

  /** Forgets the row and returns it. */
  delete(outer: Outer, key: string): Row | undefined {
    const table = this.#tables.get(outer)
    const old = table?.delete(key)
    if (table?.size === 0) this.#tables.delete(outer)
    return old
  }

  /** From now on, every put counts as seen. Starting again forgets what an unfinished resync saw. */
  beginResync(): void {
    this.#isResyncing = true
    for (const table of this.#tables.values()) table.beginResync()
  }

  /** Ends the resync: removes and returns every row not seen since it began, but those that are kept. */
  finishResync(keeps?: (row: Row) => boolean): Row[] {
    this.#isResyncing = false
    const gone: Row[] = []
    for (const [outer, table] of this.#tables) {
      for (const row of table.finishResync(keeps)) gone.push(row)
      if (table.size === 0) this.#tables.delete(outer)
    }
    return gone
  }
}
