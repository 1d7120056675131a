// A stream of pings of which not one may be lost: replies are counted by sequence number while it runs.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Lab } from '../lab/lab.js'
import { addressOf, type Workload } from '../lab/spec.js'
import { PATIENCE } from '../lab/wait.js'
import type { Family } from './matrix.js'

export interface StreamResult {
  /** Up to the last packet that was answered: those behind it were under way when the stream ended. */
  readonly sent: number
  readonly lost: number
  readonly duplicates: number
}

/** An emulated CPU would have no time for anything but pings: there they are fewer. */
export const PINGS_PER_SECOND = 200 / PATIENCE

/** Pings from one workload to another until stopped. */
export class PingStream {
  readonly name: string
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  readonly #answered = new Set<number>()
  #replies = 0
  #last = 0

  constructor(lab: Lab, from: Workload, to: Workload, family: Family) {
    this.name = `IPv${family} ${from.name} > ${to.name}`
    this.#child = lab.spawn(from.name, ['ping', '-n', '-i', String(1 / PINGS_PER_SECOND), addressOf(to, family) ?? ''])
    this.#closed = once(this.#child, 'close')
    if (this.#child.stdout === null) throw new Error('standard output of ping is not a pipe')
    createInterface({ input: this.#child.stdout }).on('line', (line) => { this.#read(line) })
  }

  /** Packets answered so far. */
  get answered(): number {
    return this.#answered.size
  }

  async stop(): Promise<StreamResult> {
    this.#child.kill('SIGINT')
    await this.#closed
    return { sent: this.#last, lost: this.#last - this.#answered.size, duplicates: this.#replies - this.#answered.size }
  }

  #read(line: string): void {
    const sequence = Number(/ bytes from .* icmp_seq=(\d+) /.exec(line)?.[1] ?? 0)
    if (sequence === 0) return
    this.#replies++
    this.#answered.add(sequence)
    this.#last = Math.max(this.#last, sequence)
  }
}
