// A third party that watches a bridge's flows: any that is added, modified or deleted, by whomever.
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Lab } from '../lab/lab.js'
import { Hopeless, waitFor } from '../lab/wait.js'

/** A flow of our own that no packet meets (no table leads there): seeing it come and go proves that the monitor sees. */
const PROBE = 'table=250,priority=1,dl_type=0x88b5'

export class FlowMonitor {
  readonly #lab: Lab
  readonly #chassis: string
  readonly #child: ChildProcess
  readonly #lines: string[] = []

  private constructor(lab: Lab, chassis: string) {
    this.#lab = lab
    this.#chassis = chassis
    this.#child = lab.spawn(chassis, ['ovs-ofctl', '-O', 'OpenFlow15', 'monitor', 'br-int', 'watch:!initial'])
    // ovs-ofctl prints what comes on standard error.
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#lines.push(line.trim()))
    }
  }

  /** Watches br-int of a chassis; returns when the monitor works. */
  static async start(lab: Lab, chassis: string): Promise<FlowMonitor> {
    const monitor = new FlowMonitor(lab, chassis)
    await waitFor(`ovs-ofctl to watch br-int on ${chassis}`, () => monitor.#says('OFPST_FLOW_MONITOR reply') || 'no answer')
    await monitor.probe()
    return monitor
  }

  /** Adds and removes the probe, and waits until the monitor has seen both: it has seen everything before them, too. */
  async probe(): Promise<void> {
    const before = this.#probes()
    await this.#ofctl('add-flow', `${PROBE},actions=drop`)
    await this.#ofctl('--strict', 'del-flows', PROBE)
    await waitFor(`the monitor on ${this.#chassis} to see the probe`, () => {
      this.#says('')
      return this.#probes() === before + 2 || `${this.#probes() - before} of 2 events`
    })
  }

  /** Every event so far that is not the probe's. */
  get events(): readonly string[] {
    return this.#lines.filter((line) => line.startsWith('event=') && !isProbe(line))
  }

  stop(): void {
    this.#child.kill('SIGTERM')
  }

  #says(text: string): boolean {
    if (this.#child.exitCode !== null) throw new Hopeless(`ovs-ofctl monitor ended: ${this.#lines.join(' ')}`)
    return this.#lines.some((line) => line.includes(text))
  }

  #probes(): number {
    return this.#lines.filter(isProbe).length
  }

  async #ofctl(...args: readonly string[]): Promise<void> {
    const at = args.length - 1
    await this.#lab.exec(this.#chassis, ['ovs-ofctl', '-O', 'OpenFlow15', ...args.slice(0, at), 'br-int', ...args.slice(at)])
  }
}

function isProbe(line: string): boolean {
  return line.startsWith('event=') && line.includes('table=250')
}
