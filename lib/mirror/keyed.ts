// The one way every mirror survives lost notifications: a keyed map with a mark-and-sweep resync.
// While a dump runs, dump rows and notifications arrive in the kernel's order and are both put here;
// what was not seen by its end is gone from the outside, and leaves through the same path as a deletion.

/** A map that can be replaced row by row. `Row` values are compared by the caller, never here. */
export class KeyedRows<Row> {
  readonly #rows = new Map<string, Row>()
  #seen: Set<string> | undefined

  get size(): number {
    return this.#rows.size
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  get rows(): ReadonlyMap<string, Row> {
    return this.#rows
  }

  /** Stores the row and returns the one it replaced. */
  put(key: string, row: Row): Row | undefined {
    const old = this.#rows.get(key)
    this.#rows.set(key, row)
    this.#seen?.add(key)
    return old
  }

  /** Forgets the row and returns it. */
  delete(key: string): Row | undefined {
    const old = this.#rows.get(key)
    this.#rows.delete(key)
    return old
  }

  /** From now on, every put counts as seen. Starting again forgets what an unfinished resync saw. */
  beginResync(): void {
    this.#seen = new Set()
  }

  /** Ends the resync: removes and returns every row not seen since it began, but those that are kept. */
  finishResync(keeps: (row: Row) => boolean = () => false): Row[] {
    const seen = this.#seen
    this.#seen = undefined
    if (seen === undefined) return []
    const gone: Row[] = []
    for (const [key, row] of this.#rows) {
      if (seen.has(key) || keeps(row)) continue
      this.#rows.delete(key)
      gone.push(row)
    }
    return gone
  }
}
