// Two monitors side by side, of the kernel's devices and rows and of br-int's flows: how long after a command something had
// happened. The times are those that the monitors print themselves, before any pipe between them and us.
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Lab } from '../../lab/lab.js'
import { waitFor } from '../../lab/wait.js'

/** `at`: milliseconds since the epoch. */
interface Line { readonly at: number, readonly text: string }

export class Watch {
  readonly #lab: Lab
  readonly #chassis: string
  readonly #lines: Line[] = []
  readonly #children: readonly ChildProcess[]
  #probes = 0

  private constructor(lab: Lab, chassis: string) {
    this.#lab = lab
    this.#chassis = chassis
    // `ip monitor neigh` shows forwarding rows, too: they are neighbours of the family AF_BRIDGE.
    const programs = [
      ['ip', '-o', '-ts', 'monitor', 'link', 'neigh'], ['ovs-ofctl', '-O', 'OpenFlow15', '--timestamp', 'monitor', 'br-int', 'watch:!initial']
    ]
    this.#children = programs.map((argv) => {
      const child = lab.spawn(chassis, argv, { env: { TZ: 'UTC' } })
      for (const stream of [child.stdout, child.stderr]) if (stream !== null) this.#follow(stream)
      return child
    })
  }

  /** Returns when both monitors see. */
  static async start(lab: Lab, chassis: string): Promise<Watch> {
    const watch = new Watch(lab, chassis)
    await waitFor('ovs-ofctl to watch', () => watch.#lines.some(({ text }) => text.includes('FLOW_MONITOR reply')))
    await watch.#caughtUp()
    return watch
  }

  /** Waits until everything that has happened in the kernel has been read. */
  async #caughtUp(): Promise<void> {
    await waitFor('the kernel\'s monitor to catch up', async () => {
      const from = this.#lines.length
      await this.#lab.exec(this.#chassis, ['ip', 'link', 'set', 'lo', 'mtu', String(60_000 + this.#probes++ % 1000)])
      await waitFor('the probe', () => this.#lines.slice(from).some(({ text }) => /: lo: .* mtu 60/.test(text)), 500, 5)
      return true
    })
  }

  /**
   * Runs `act` and returns the milliseconds from the first notification that it led to, to the first line that matches `effect`:
   * what starting a program takes, on a busy machine, is not counted.
   */
  async latency(what: string, act: () => Promise<unknown>, effect: RegExp): Promise<number> {
    const { first, end } = await this.#timesOf(what, act, effect)
    return end - first
  }

  /** Runs `act` and returns when the first line after its beginning that matches `effect` was written, in milliseconds since the epoch. */
  async time(what: string, act: () => Promise<unknown>, effect: RegExp): Promise<number> {
    return (await this.#timesOf(what, act, effect)).end
  }

  async #timesOf(what: string, act: () => Promise<unknown>, effect: RegExp): Promise<{ readonly first: number, readonly end: number }> {
    await this.#caughtUp()
    const from = this.#lines.length
    const start = Date.now()
    await act()
    let line: Line | undefined
    await waitFor(`${what}: a line like ${effect.source}`, () => {
      const since = this.#lines.slice(from)
      line = since.find(({ at, text }) => at >= start && effect.test(text))
      return line !== undefined || since.map(({ text }) => text).join('\n')
    }, 10_000, 10)
    return { first: Math.min(...this.#lines.slice(from).flatMap(({ at }) => (at >= start ? [at] : []))), end: line?.at ?? NaN }
  }

  /** Runs `act` and returns the milliseconds from the first line that matches `cause` to the first that matches `effect`. */
  async gap(what: string, act: () => Promise<unknown>, cause: RegExp, effect: RegExp): Promise<number> {
    const from = this.#lines.length
    await act()
    const find = (wanted: RegExp) => this.#lines.slice(from).find(({ text }) => wanted.test(text))?.at
    await waitFor(`${what}: lines like ${cause.source} and ${effect.source}`, () =>
      (find(cause) !== undefined && find(effect) !== undefined) || this.#lines.slice(from).map(({ text }) => text).join('\n'))
    return (find(effect) ?? NaN) - (find(cause) ?? NaN)
  }

  stop(): void {
    for (const child of this.#children) child.kill('SIGTERM')
  }

  /** ip writes `[2026-11-21T14:45:48.319897] ...`, ovs-ofctl `2026-11-21 14:45:48.319: ...` and what it tells of in the lines after it. */
  #follow(stream: Readable): void {
    let at = 0
    createInterface({ input: stream }).on('line', (line) => {
      const [, stamp, rest] = /^\[?(\d{4}-\d\d-\d\d[ T][\d:]+\.\d+)\]?:?(.*)$/.exec(line) ?? []
      if (stamp !== undefined) at = Date.parse(`${stamp.replace(' ', 'T')}Z`)
      this.#lines.push({ at, text: (rest ?? line).trim() })
    })
  }
}
