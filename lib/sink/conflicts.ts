// What of others stands in our places on the switch: it is left alone, told once, and looked at again until it is gone.
import { ENTRY_TABLE } from '../pipeline/slots.js'
import { describeFlowKey, tableOfKey } from './flow-entry.js'

/** While a foreign entry stands in one of our places, we look again after this pause, in ms; it doubles while nothing changes. */
const FIRST_RECHECK = 10_000
const LONGEST_RECHECK = 160_000

export interface ConflictReport {
  info(text: string): void
  warn(text: string): void
}

export class Conflicts {
  /** In words. */
  texts: readonly string[] = []
  readonly flows = new Set<string>()
  readonly groups = new Set<string>()
  readonly #report: ConflictReport
  #recheck = FIRST_RECHECK
  #isTold = true

  constructor(report: ConflictReport) {
    this.#report = report
  }

  /** All there is, after a read-back. */
  replace(flows: Iterable<string>, groups: Iterable<string>): void {
    this.flows.clear()
    this.groups.clear()
    for (const key of flows) this.flows.add(key)
    for (const key of groups) this.groups.add(key)
    this.#isTold = false
  }

  addFlow(key: string): void {
    this.flows.add(key)
    this.#isTold = false
  }

  addGroup(key: string): void {
    this.groups.add(key)
    this.#isTold = false
  }

  /** True when it was there. */
  deleteFlow(key: string): boolean {
    if (!this.flows.delete(key)) return false
    this.#isTold = false
    return true
  }

  /** True when it was there. */
  deleteGroup(key: string): boolean {
    if (!this.groups.delete(key)) return false
    this.#isTold = false
    return true
  }

  /** The longer a conflict stands, the longer the pause: each look reads all our tables. */
  nextRecheck(): number {
    const pause = this.#recheck
    this.#recheck = Math.min(2 * pause, LONGEST_RECHECK)
    return pause
  }

  /**
   * A foreign flow in our tables is always in our way, one in the entry table once we want its place (`isWanted`).
   * True when there is a new one.
   */
  tell(isWanted: (key: string) => boolean): boolean {
    if (this.#isTold && this.flows.size + this.groups.size === 0) return false
    this.#isTold = true
    const before = new Set(this.texts)
    const inOurWay = [...this.flows].filter((key) => tableOfKey(key) !== ENTRY_TABLE || isWanted(key))
    this.texts = [
      ...inOurWay.map((key) => `foreign flow in our place: ${describeFlowKey(key)}`),
      ...[...this.groups].map((key) => `foreign group in our place: group_id=${key}`)
    ]
    const fresh = this.texts.filter((text) => !before.has(text))
    for (const text of fresh) this.#report.warn(`${text}; it is left alone, and what we would put there is missing`)
    if (fresh.length > 0) this.#recheck = FIRST_RECHECK
    if (this.texts.length === 0 && before.size > 0) this.#report.info('nothing foreign is left in our places')
    return fresh.length > 0
  }
}
