// The copy of the monitored tables. It outlives connections; a session brings it up to date and nothing else writes to it.
import { ZERO_UUID, type Row } from './notation.js'
import type { Columns } from './schema.js'
import type { RowChange, Tables } from './updates.js'

const NO_ROWS: ReadonlyMap<string, Row> = new Map()

export class Replica {
  readonly #tables = new Map<string, Map<string, Row>>()
  #lastTxnId = ZERO_UUID
  #shape = ''

  /** All rows, by table. */
  get tables(): Tables {
    return this.#tables
  }

  /** The rows of one table by uuid; empty for a table without rows. A snapshot of now: ask again after a change. */
  table(name: string): ReadonlyMap<string, Row> {
    return this.#tables.get(name) ?? NO_ROWS
  }

  /** Brings changes in; `lastTxnId` is the transaction they lead up to (zero when the server keeps no history). */
  apply(changes: readonly RowChange[], lastTxnId: string): void {
    for (const change of changes) {
      const rows = this.#tables.get(change.table) ?? new Map<string, Row>()
      if (change.new) rows.set(change.uuid, change.new)
      else rows.delete(change.uuid)
      this.#tables.set(change.table, rows)
    }
    this.#lastTxnId = lastTxnId
  }

  /**
   * The transaction to ask changes since. Zero, which means everything, when the columns are no longer the ones the rows were read
   * with: a difference would not bring the columns that are new.
   */
  since(columns: Columns): string {
    const shape = JSON.stringify([...columns].map(([table, types]) => [table, [...types]]))
    if (shape !== this.#shape) this.#lastTxnId = ZERO_UUID
    this.#shape = shape
    return this.#lastTxnId
  }

  /** Keeps the rows but trusts no difference any more: the next session reads everything and delivers what differs. */
  distrust(): void {
    this.#lastTxnId = ZERO_UUID
  }
}
