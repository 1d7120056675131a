// Whether a row that the outside says is gone stays in its mirror for a while: the word of a dying speaker does not count.

export interface Keeper<Row> {
  /** Asked before a row goes because the outside says so: true = it stays until it is released. */
  keeps(row: Row): boolean
  /** True for a row that the outside has no longer. */
  isKept(row: Row): boolean
  /** The outside has this row, written or read again, in place of `old`. */
  written(row: Row, old: Row | undefined): void
  /** The row has left the mirror, for whatever reason. */
  dropped(row: Row): void
}

export const KEEP_NOTHING: Keeper<unknown> = { keeps: () => false, isKept: () => false, written: () => undefined, dropped: () => undefined }
