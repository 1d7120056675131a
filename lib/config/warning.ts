// What is told to the user about one bad value: always the record, the key, the value and the reason,
// so that one line is enough to find and mend it.

/** One rejected configuration item; everything else goes on. */
export interface Warning {
  /** Where it stands, as ovs-vsctl names it: `Interface vm1`, `Bridge br-int`, `Open_vSwitch .`. */
  readonly record: string
  readonly key: string
  readonly value: string
  readonly why: string
}

/** Anybody may write values of any length: a sentence shows so many characters of each part. */
const EXCERPT = 200

/** Warnings of one value: the first ones are told, of the others only that they are there. */
const MAX_OF_VALUE = 10

/** The one sentence for log and CLI. */
export function formatWarning({ record, key, value, why }: Warning): string {
  return `${excerpt(record)} external_ids:${excerpt(key)}="${excerpt(value)}": ${excerpt(why)}`
}

function excerpt(text: string): string {
  return text.length > EXCERPT ? `${text.slice(0, EXCERPT / 2)}...${text.slice(-EXCERPT / 4)}` : text
}

/** Collects the warnings of one record while it is parsed. */
export type Warn = (key: string, value: string, why: string) => void

/** Collects the warnings of one record in `warnings`. */
export function warnInto(warnings: Warning[], record: string): Warn {
  const counts = new Map<string, number>()
  return (key, value, why) => {
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (count <= MAX_OF_VALUE) warnings.push({ record, key, value, why })
    else if (count === MAX_OF_VALUE + 1) warnings.push({ record, key, value, why: 'more items are bad, and skipped' })
  }
}
