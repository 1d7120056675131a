// The integration bridge's OpenFlow ports, from PORT_DESC and PORT_STATUS of the connection itself:
// the ofport column of OVSDB outlives a dead ovs-vswitchd and may name a port that is gone.
import type { PortDesc } from '../openflow/index.js'

export type PortChanged = (name: string) => void

export class PortMirror {
  readonly #byName = new Map<string, number>()
  readonly #changed: PortChanged

  constructor(changed: PortChanged) {
    this.#changed = changed
  }

  /** The OpenFlow port number of a port by name, or undefined when the switch has none. */
  ofport(name: string): number | undefined {
    return this.#byName.get(name)
  }

  put(port: PortDesc): void {
    if (this.#byName.get(port.name) === port.port) return
    this.#byName.set(port.name, port.port)
    this.#changed(port.name)
  }

  delete(port: PortDesc): void {
    if (this.#byName.get(port.name) !== port.port) return
    this.#byName.delete(port.name)
    this.#changed(port.name)
  }

  /** Replaces everything: what the switch has after a (re)connect. */
  replaceAll(ports: readonly PortDesc[]): void {
    const current = new Map(ports.map((port) => [port.name, port.port]))
    const gone = [...this.#byName.keys()].filter((name) => !current.has(name))
    for (const name of gone) {
      this.#byName.delete(name)
      this.#changed(name)
    }
    for (const port of ports) this.put(port)
  }
}
