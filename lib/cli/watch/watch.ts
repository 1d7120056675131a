// `ovs-evpnctl watch`: asks the daemon again and again what happened since, and prints it, until it is ended by a signal. It asks by
// sequence number, so one that is slow, or stopped, costs the daemon nothing; what was forgotten meanwhile is said. However much
// happens, it asks a few times a second, and each answer is bounded.
import { setTimeout as pause } from 'node:timers/promises'
import type { DropReport, EventsReport } from '../../daemon/report/report.js'
import type { Paint } from '../colour.js'
import { EXIT_UNREACHABLE, Failure } from '../failure.js'
import { counters, dropsBetween } from './drops.js'
import { dropLine, eventLine } from './line.js'

export interface WatchParts {
  /** Finds the daemon. Rejects with Failure. */
  readonly find: () => Promise<string>
  /** Rejects with Failure, at once when `end` is aborted. */
  readonly call: (socket: string, method: string, ...params: readonly string[]) => Promise<string>
  readonly print: (text: string) => void
  /** For what is no event. */
  readonly remark: (text: string) => void
  readonly paint: Paint
  readonly json: boolean
  readonly vni: number | undefined
  readonly end: AbortSignal
}

/**
 * In ms: between two questions; to a daemon that does not answer. An answer has 1,000 events at most, so that in a storm 5,000 a second
 * are asked for, and what the daemon forgets before its turn comes is left out.
 */
const PAUSE = { events: 200, absent: 1_000 } as const
/** Counters of drops are read from the switch: at most every two seconds, and for a twentieth of the time. */
const DROPS = { every: 2_000, share: 20 } as const

/** Prints until it is ended, at once even when the daemon hangs. Rejects with Failure when the daemon cannot be asked at the beginning. */
export async function watch(parts: WatchParts): Promise<void> {
  const { end, remark } = parts
  const watcher = new Watcher(parts)
  try {
    await watcher.start()
    remark('watching what ovs-evpnd does; Ctrl-C ends')
    while (!end.aborted) await pause(await watcher.step(), undefined, { signal: end })
  } catch (error) {
    if (!end.aborted) throw error
  }
}

class Watcher {
  readonly #parts: WatchParts
  #socket = ''
  #began = ''
  #next = 0
  #isAbsent = false
  #drops: ReturnType<typeof counters> | undefined
  #dropsDue = 0

  constructor(parts: WatchParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    this.#socket = await this.#parts.find()
    const { began, next } = JSON.parse(await this.#parts.call(this.#socket, 'evpn/events')) as EventsReport
    this.#began = began
    this.#next = next
    await this.#lookAtDrops()
  }

  /** Asks once; resolves with the ms to wait before the next time. */
  async step(): Promise<number> {
    try {
      if (this.#isAbsent) this.#socket = await this.#parts.find()
      await this.#ask()
      if (performance.now() >= this.#dropsDue) await this.#lookAtDrops()
      return PAUSE.events
    } catch (error) {
      if (this.#parts.end.aborted || !(error instanceof Failure) || error.exitCode !== EXIT_UNREACHABLE) throw error
      if (!this.#isAbsent) this.#parts.remark(`${error.message}; waiting for it`)
      this.#isAbsent = true
      return PAUSE.absent
    }
  }

  async #ask(): Promise<void> {
    const { print, paint, json, vni: wanted, remark } = this.#parts
    let report = JSON.parse(await this.#parts.call(this.#socket, 'evpn/events', String(this.#next))) as EventsReport
    if (this.#isAbsent) remark(report.began === this.#began ? 'ovs-evpnd answers again' : 'ovs-evpnd was started anew')
    this.#isAbsent = false
    if (report.began !== this.#began) {
      this.#began = report.began
      report = JSON.parse(await this.#parts.call(this.#socket, 'evpn/events', '0')) as EventsReport
    }
    if (report.missed > 0) remark(`${report.missed} events left out: they came faster than they were read`)
    this.#next = report.next
    for (const event of report.events) {
      if (wanted !== undefined && event.vni !== undefined && event.vni !== wanted) continue
      print(json ? JSON.stringify(event) + '\n' : eventLine(event, paint))
    }
  }

  async #lookAtDrops(): Promise<void> {
    const { call, print, paint, json, vni } = this.#parts
    const start = performance.now()
    const now = await call(this.#socket, 'evpn/report', 'drops', ...(vni === undefined ? [] : [String(vni)])).then((text) => counters(JSON.parse(text) as DropReport[]), () => undefined)
    this.#dropsDue = performance.now() + Math.max(DROPS.every, DROPS.share * (performance.now() - start))
    // The switch may not be there to be asked: what comes later is counted from then on.
    if (now !== undefined && this.#drops !== undefined) {
      for (const event of dropsBetween(this.#drops, now, new Date().toISOString())) print(json ? JSON.stringify(event) + '\n' : dropLine(event, paint))
    }
    this.#drops = now ?? this.#drops
  }
}
