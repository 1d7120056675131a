// The integration bridge's OpenFlow ports, from PORT_DESC and PORT_STATUS of the connection itself:
// the ofport column of OVSDB outlives a dead ovs-vswitchd and may name a port that is gone.
import type { PortDesc } from '../openflow/index.js'

export type PortChanged = (name: string) => void

/** OpenFlow carries 15 characters of a port's name (OFP_MAX_PORT_NAME_LEN); OVS allows more for ports that are no kernel devices. */
export const MAX_PORT_NAME = 15

export class PortMirror {
  /** OpenFlow name to port numbers: two long names can be one here. */
  readonly #numbers = new Map<string, ReadonlySet<number>>()
  readonly #names = new Map<number, string>()
  readonly #changed: PortChanged

  /** `changed` is told the OpenFlow name. */
  constructor(changed: PortChanged) {
    this.#changed = changed
  }

  /** The OpenFlow port number of a port by name; undefined when the switch has none, or several that its first 15 characters fit. */
  ofport(name: string): number | undefined {
    const numbers = this.#numbers.get(name.slice(0, MAX_PORT_NAME))
    return numbers?.size === 1 ? [...numbers][0] : undefined
  }

  /** The OpenFlow name of a port by number. */
  nameOf(ofport: number): string | undefined {
    return this.#names.get(ofport)
  }

  /** Another mirror of the same ports. */
  copy(changed: PortChanged): PortMirror {
    const copy = new PortMirror(changed)
    for (const [name, numbers] of this.#numbers) copy.#numbers.set(name, numbers)
    for (const [number, name] of this.#names) copy.#names.set(number, name)
    return copy
  }

  /** A port number that no port has. */
  get free(): number {
    let number = 1
    while (this.#names.has(number)) number++
    return number
  }

  put(port: Pick<PortDesc, 'name' | 'port'>): void {
    // A port whose number is known under another name was renamed or replaced, which PORT_STATUS tells as one change.
    const numbers = this.#numbers.get(port.name) ?? new Set<number>()
    if (numbers.has(port.port)) return
    this.#set(port.name, new Set([...numbers, port.port]))
  }

  delete(port: PortDesc): void {
    const numbers = this.#numbers.get(port.name)
    if (numbers?.has(port.port) === true) this.#set(port.name, new Set([...numbers].filter((number) => number !== port.port)))
  }

  /** Replaces everything: what the switch has after a (re)connect. */
  replaceAll(ports: readonly PortDesc[]): void {
    const current = new Map<string, Set<number>>([...this.#numbers.keys()].map((name) => [name, new Set()]))
    for (const port of ports) current.set(port.name, (current.get(port.name) ?? new Set()).add(port.port))
    for (const [name, numbers] of current) {
      const old = this.#numbers.get(name)
      if (numbers.size !== old?.size || [...numbers].some((number) => !old.has(number))) this.#set(name, numbers)
    }
  }

  #set(name: string, numbers: ReadonlySet<number>): void {
    for (const number of this.#numbers.get(name) ?? []) if (this.#names.get(number) === name) this.#names.delete(number)
    for (const number of numbers) this.#names.set(number, name)
    if (numbers.size === 0) this.#numbers.delete(name)
    else this.#numbers.set(name, numbers)
    this.#changed(name)
  }
}
