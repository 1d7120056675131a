// Where a host's kernel says a MAC is, followed as it changes, so that nothing between two looks is missed: the monitor of the
// forwarding tables, as the kernel tells of each row.
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Lab } from '../../lab/lab.js'
import { waitFor } from '../../lab/wait.js'

/** A bridge of our own: rows that are written there are seen after all that was before them. */
const PROBE = 'probe'

/** Reads one row: where it says that the MAC is; undefined = the row does not matter. */
export type PlaceOf = (row: string) => string | undefined

export class Whereabouts {
  readonly #lab: Lab
  readonly #host: string
  readonly #child: ChildProcess
  #places: string[] = []
  #last: string | undefined
  #serial = 0
  #seen = ''

  private constructor(lab: Lab, host: string, mac: string, placeOf: PlaceOf) {
    this.#lab = lab
    this.#host = host
    this.#child = lab.spawn(host, ['bridge', 'monitor', 'fdb'])
    if (this.#child.stdout === null) throw new Error('standard output of the monitor is not a pipe')
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const [, isDeleted, of = '', row = ''] = /^(Deleted )?([0-9a-f:]{17}) (.*)$/.exec(line) ?? []
      if (row.startsWith(`dev ${PROBE} `)) this.#seen = of
      const where = of === mac ? placeOf(row) : undefined
      if (where !== undefined) this.#add(isDeleted === undefined ? where : `not ${where}`)
    })
  }

  /** Returns when changes are seen. */
  static async start(lab: Lab, host: string, mac: string, placeOf: PlaceOf): Promise<Whereabouts> {
    await lab.exec(host, ['ip', 'link', 'add', PROBE, 'type', 'bridge'])
    const whereabouts = new Whereabouts(lab, host, mac, placeOf)
    await whereabouts.take()
    return whereabouts
  }

  /** The places since the last call, each that differs from the one before it. */
  async take(): Promise<readonly string[]> {
    await waitFor(`the monitor of ${this.#host} to catch up`, async () => {
      const probe = `02:fe:00:00:00:${(++this.#serial % 256).toString(16).padStart(2, '0')}`
      await this.#lab.exec(this.#host, ['bridge', 'fdb', 'replace', probe, 'dev', PROBE, 'self', 'local'])
      await waitFor('the probe', () => this.#seen === probe, 500, 5)
      return true
    })
    const places = this.#places
    this.#places = []
    return places
  }

  stop(): void {
    this.#child.kill('SIGTERM')
  }

  /** A row that goes after the MAC has been told elsewhere is old news. */
  #add(where: string): void {
    const isOld = where.startsWith('not ') && this.#last !== undefined && this.#last !== where.slice('not '.length)
    if (where === this.#last || isOld) return
    this.#last = where
    this.#places.push(where)
  }
}
