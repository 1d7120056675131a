// Warnings that describe a state, not an event: each is logged when it begins and when it ends, never in between.
import type { ModuleLog } from './log/log.js'

export class Notices {
  readonly #log: ModuleLog
  #standing = new Map<string, Date>()

  constructor(log: ModuleLog) {
    this.#log = log
  }

  /** What stands now, with the time it began. */
  get standing(): ReadonlyMap<string, Date> {
    return this.#standing
  }

  /** Replaces what stands. */
  update(texts: readonly string[]): void {
    const current = new Map<string, Date>()
    for (const text of texts) {
      const since = this.#standing.get(text)
      if (since === undefined && !current.has(text)) this.#log.warn(text)
      current.set(text, since ?? new Date())
    }
    for (const text of this.#standing.keys()) {
      if (!current.has(text)) this.#log.info(`no longer: ${text}`)
    }
    this.#standing = current
  }
}
