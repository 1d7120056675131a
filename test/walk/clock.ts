// Time that stands still until it is told to go on: replaces the global timers while a walk runs. All timers in it
// are the agent's own, so forgetting them is what becomes of a killed process.

interface Timer {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** What the code under test gets for a timer: it only ever calls unref(). */
interface Handle { unref(): Handle }

const REAL = {
  setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout,
  setImmediate: globalThis.setImmediate, clearImmediate: globalThis.clearImmediate
}

/** Resolves when every promise that can settle has settled. */
export function promisesSettled(): Promise<void> {
  return new Promise((resolve) => REAL.setImmediate(resolve))
}

export class Clock {
  now = 0
  #order = 0
  readonly #timers = new Map<unknown, Timer>()
  #immediates = new Map<unknown, () => void>()

  /** Takes over the global timers, and the clock of pauses. */
  install(): void {
    const set = (run: () => void, ms = 0): Handle => {
      const handle: Handle = { unref: () => handle }
      this.#timers.set(handle, { at: this.now + ms, order: this.#order++, run })
      return handle
    }
    const setImmediate = (run: (...args: unknown[]) => void, ...args: readonly unknown[]): Handle => {
      const handle: Handle = { unref: () => handle }
      this.#immediates.set(handle, () => run(...args))
      return handle
    }
    const clear = (handle: unknown): void => {
      this.#timers.delete(handle)
      this.#immediates.delete(handle)
    }
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear, setImmediate, clearImmediate: clear })
    Object.defineProperty(performance, 'now', { value: () => this.now, configurable: true })
  }

  /** Gives them back. */
  uninstall(): void {
    Object.assign(globalThis, REAL)
    Reflect.deleteProperty(performance, 'now')
    this.forget()
  }

  /** The process is gone, and its timers with it. */
  forget(): void {
    this.#timers.clear()
    this.#immediates.clear()
  }

  get hasImmediates(): boolean {
    return this.#immediates.size > 0
  }

  /** When the next timer is due; undefined = there is none. */
  get next(): number | undefined {
    let next: number | undefined
    for (const { at } of this.#timers.values()) if (next === undefined || at < next) next = at
    return next
  }

  /** Runs what setImmediate() holds now. */
  async runImmediates(): Promise<void> {
    const due = this.#immediates
    this.#immediates = new Map()
    for (const run of due.values()) run()
    await promisesSettled()
  }

  /** Lets time pass, running every timer that comes due, in order. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms
    for (;;) {
      const [handle, timer] = this.#due(end)
      if (timer === undefined) break
      this.#timers.delete(handle)
      this.now = Math.max(this.now, timer.at)
      timer.run()
      await promisesSettled()
    }
    this.now = end
  }

  #due(end: number): [handle: unknown, timer: Timer | undefined] {
    let found: [unknown, Timer] | undefined
    for (const [handle, timer] of this.#timers) {
      if (timer.at > end) continue
      const isFirst = found === undefined || timer.at < found[1].at || (timer.at === found[1].at && timer.order < found[1].order)
      if (isFirst) found = [handle, timer]
    }
    return found ?? [undefined, undefined]
  }
}
