// Tables of plain text: a header, columns two blanks apart, numbers to the right. Padding is done here because the table library
// at hand takes quadratic time, and a fabric has 100,000 MACs.
import { oneLine } from '../daemon/log/line.js'

/** One column: its heading and the text or number of a row. */
export interface Column<Row> {
  readonly head: string
  readonly cell: (row: Row) => string | number | undefined
}

const GAP = '  '
/** Shown for what a row does not have, so that a line has as many words as columns at least. */
const EMPTY = '-'

/** The table as text, each line ended by a newline. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map(row => columns.map(column => column.cell(row) ?? ''))
  const texts = cells.map(line => line.map(cell => oneLine(String(cell)) || EMPTY))
  const heads = columns.map(column => column.head)
  const widths = heads.map((head, at) => texts.reduce((widest, line) => Math.max(widest, line[at]?.length ?? 0), head.length))
  const toRight = heads.map((_, at) => cells.some(line => typeof line[at] === 'number'))
  const pad = (text: string, at: number): string => (toRight[at] === true ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0))
  const formatLine = (line: readonly string[]): string => line.map(pad).join(GAP).trimEnd() + '\n'
  return formatLine(heads) + texts.map(formatLine).join('')
}
