// MACs that the switch learned on ports with the address `unknown`: a copy of its learned flows, kept by a flow monitor.
// Packets fill it, so it is bounded: what does not fit is forwarded by the switch all the same, and not announced.
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import { NestedMap } from './nested.js'

export interface LearnedRow {
  readonly vni: Vni
  readonly mac: Mac
  readonly ofport: number
}

/** The most that is kept, over all ports; one port can have as many as its flow lets it learn. */
export const MAX_LEARNED = 50_000

export class LearnedMirror {
  readonly #rows = new NestedMap<Vni, Mac, LearnedRow>()
  readonly #changed: (vni: Vni, mac: Mac) => void
  #size = 0
  #isKnown = false
  /** How often a learned MAC did not fit, since the last replaceAll. */
  refused = 0

  constructor(changed: (vni: Vni, mac: Mac) => void) {
    this.#changed = changed
  }

  /** The switch has told once what it has learned. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  get size(): number {
    return this.#size
  }

  /** Some did not fit that would now: time to read all of them again. Not at once, or each that goes would have them read. */
  get hasRoomAgain(): boolean {
    return this.refused > 0 && this.#size <= MAX_LEARNED * 0.9
  }

  /** Some did not fit, and one would now: time to read all of them again, once in a while. */
  get hasRoom(): boolean {
    return this.refused > 0 && this.#size < MAX_LEARNED
  }

  get(vni: Vni, mac: Mac): LearnedRow | undefined {
    return this.#rows.get(vni, mac)
  }

  under(vni: Vni): ReadonlyMap<Mac, LearnedRow> {
    return this.#rows.under(vni)
  }

  put(row: LearnedRow): void {
    const old = this.#rows.get(row.vni, row.mac)
    if (old?.ofport === row.ofport) return
    if (old === undefined && this.#size >= MAX_LEARNED) {
      this.refused++
      return
    }
    if (old === undefined) this.#size++
    this.#rows.set(row.vni, row.mac, row)
    this.#changed(row.vni, row.mac)
  }

  delete(vni: Vni, mac: Mac): void {
    if (this.#rows.get(vni, mac) === undefined) return
    this.#size--
    this.#rows.delete(vni, mac)
    this.#changed(vni, mac)
  }

  /** Replaces everything: what the switch has when the monitor starts. */
  replaceAll(rows: readonly LearnedRow[]): void {
    this.#isKnown = true
    this.refused = 0
    const current = new Set(rows.map(({ vni, mac }) => `${vni} ${mac}`))
    for (const vni of [...this.#rows.outers()]) {
      for (const mac of [...this.#rows.under(vni).keys()]) if (!current.has(`${vni} ${mac}`)) this.delete(vni, mac)
    }
    for (const row of rows) this.put(row)
  }
}
