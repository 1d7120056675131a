// When the switch is read again though its connection stands: at once where something is suspected, and by and by all of it,
// one part at a time, in case a change came without notice. Nothing waits for it.
import { OUR_TABLES } from './read-back.js'

/** What is read at once: all groups and meters, or the flows of one table. */
export type Part = 'groups' | number

export const PARTS: readonly Part[] = ['groups', ...OUR_TABLES]

/** Between two parts that are read because nothing is suspected, on average; and after any, before the next one that is. In ms. */
const PERIOD = 60_000
const PAUSE = 250
/** Of PERIOD, so that we fall in step with nothing else that is done every minute. */
const JITTER = 0.5
/** The fractions of its multiples are spread evenly: as good as chance, and the same each time. */
const GOLDEN = 0.618033988749895

export class Audit {
  readonly #read: (part: Part) => Promise<void>
  readonly #isFree: () => boolean
  readonly #warn: (text: string) => void
  readonly #suspects = new Set<Part>()
  #turn = 0
  #round: NodeJS.Timeout | undefined
  #pause: NodeJS.Timeout | undefined
  /** The reading under way. */
  #reading: Promise<void> | undefined

  /** `isFree`: false while a batch is under way, whose outcome would be judged. */
  constructor(read: (part: Part) => Promise<void>, isFree: () => boolean, warn: (text: string) => void) {
    this.#read = read
    this.#isFree = isFree
    this.#warn = warn
  }

  /** From here on, one part after the other. */
  start(): void {
    this.go()
    clearTimeout(this.#round)
    const turn = this.#turn++
    this.#round = setTimeout(() => {
      this.suspect(PARTS[turn % PARTS.length] ?? 'groups')
      this.start()
    }, PERIOD * (1 + JITTER * ((turn * GOLDEN) % 1 - 0.5))).unref()
  }

  stop(): void {
    clearTimeout(this.#round)
    clearTimeout(this.#pause)
    this.#pause = undefined
    this.#reading = undefined
    this.#suspects.clear()
  }

  /** Something happened to this part that its news did not tell whole. */
  suspect(part: Part): void {
    this.#suspects.add(part)
    this.go()
  }

  /** Reads what is suspected, unless it already does or must wait. To be called when a batch is done, before the next is sent. */
  go(): void {
    const [part] = this.#suspects
    if (part === undefined || this.#reading !== undefined || this.#pause !== undefined || !this.#isFree()) return
    this.#suspects.delete(part)
    const reading = this.#read(part)
    this.#reading = reading
    reading.catch((error: unknown) => {
      if (this.#reading === reading) this.#warn(`reading ${typeof part === 'number' ? `table ${part}` : part} of the switch again failed: ${String(error)}`)
    }).finally(() => {
      if (this.#reading !== reading) return
      this.#reading = undefined
      this.#pause = setTimeout(() => {
        this.#pause = undefined
        this.go()
      }, PAUSE).unref()
    })
  }
}
