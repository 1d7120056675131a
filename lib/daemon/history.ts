// The history: the last transitions of VTEPs, MACs, IPs and claims, of the routing daemon, and of entries that others changed, in one
// ring. Who reads it - `ovs-evpnctl watch` and `history`, the metrics page - asks by sequence number, whenever it likes; nobody is
// called. A transition costs the same whatever is there, and the ring forgets the oldest.

/** What a transition is about. */
export type TransitionKind = 'vtep' | 'mac' | 'ip' | 'claim' | 'speaker' | 'drift'

/**
 * Who did it. speaker: a kernel row of the routing daemon came, changed or went; stale-time: it was kept for evpn-stale-time, which is over;
 * configuration: OVSDB; devices: the VNI's kernel devices; switch: a port of the bridge; port: the workload's port came or went;
 * packet: a frame from the port; claim: our own claim took it over; bridge: the kernel's bridge has it on another port; others: somebody
 * else changed an entry of ours.
 */
export type By = 'speaker' | 'stale-time' | 'configuration' | 'devices' | 'switch' | 'port' | 'packet' | 'claim' | 'bridge' | 'others'

/** What a caller says of a transition. */
export interface Note {
  readonly kind: TransitionKind
  readonly vni: number | undefined
  /** The MAC, the IP, the VTEP (address and UDP port), the entry. */
  readonly of: string
  /** How it was and is, in words; undefined = not there. */
  readonly from: string | undefined
  readonly to: string | undefined
  readonly by: By
  /** When the event came, as performance.now() tells; undefined = now. */
  readonly since: number | undefined
  /** Key of the flow or kernel row that is yet to be written for it; undefined = none. */
  readonly key: string | undefined
}

export interface Transition extends Omit<Note, 'since' | 'key'> {
  readonly seq: number
  /** Milliseconds since 1970. */
  readonly at: number
  /** From the event until the switch (of a claim: the kernel) had it, in ms; undefined = nothing was to be written, or it is not there yet. */
  ms: number | undefined
  /** As in Note, until it is written. */
  key: string | undefined
  readonly since: number
}

/** What happened from a sequence number on. */
export interface Slice {
  readonly transitions: readonly Transition[]
  /** To ask with the next time. */
  readonly next: number
  /** So many were forgotten already. */
  readonly missed: number
}

/** Transitions that are remembered: some 5 MB. */
const CAPACITY = 20_000
/** What waits for the switch is told after so many ms all the same. */
const PATIENCE = 1_000

export class History {
  /** When it began: another daemon has another history. */
  readonly began = Date.now()
  readonly #capacity: number
  readonly #ring: Transition[] = []
  readonly #waiting = new Map<string, Transition>()
  /** VNIs that were derived anew in this tick, and whether that was for the configuration. */
  readonly #renewed = new Set<number>()
  #isConfigured = false
  #isOpen = false
  #next = 0

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity
  }

  /** False until all was known once: what is read at the start is no transition. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  open(): void {
    this.#isOpen = true
  }

  /** The sequence number that the next transition will have. */
  get next(): number {
    return this.#next
  }

  /** The oldest that is remembered; undefined = nothing happened. */
  get oldest(): Transition | undefined {
    return this.#ring.length < this.#capacity ? this.#ring[0] : this.#ring[this.#next % this.#capacity]
  }

  record({ kind, vni, of, from, to, by, since = performance.now(), key }: Note): void {
    if (!this.#isOpen) return
    const transition: Transition = { seq: this.#next, at: Date.now(), kind, vni, of, from, to, by, ms: undefined, key, since }
    const slot = this.#next++ % this.#capacity
    this.#forget(this.#ring[slot])
    this.#ring[slot] = transition
    if (key === undefined) return
    // It never came to be: something else is wanted there now.
    const before = this.#waiting.get(key)
    if (before !== undefined) before.key = undefined
    this.#waiting.set(key, transition)
  }

  /** What was to be written at this key is there. */
  confirmed(key: string, now = performance.now()): void {
    const transition = this.#waiting.get(key)
    if (transition === undefined) return
    this.#waiting.delete(key)
    transition.key = undefined
    transition.ms = Math.max(0, now - transition.since)
  }

  /** Up to `limit` transitions from this number on. One that waits for the switch is told with its latency, or after a second. */
  since(seq: number, limit = 1_000, now = performance.now()): Slice {
    const first = Math.max(seq, this.#next - this.#capacity)
    const transitions: Transition[] = []
    for (let at = first; at < this.#next && transitions.length < limit; at++) {
      const transition = this.#ring[at % this.#capacity]
      if (transition === undefined || (transition.key !== undefined && now - transition.since < PATIENCE)) break
      transitions.push(transition)
    }
    return { transitions, next: first + transitions.length, missed: Math.max(0, first - seq) }
  }

  /** All that is remembered, oldest first. */
  * all(): IterableIterator<Transition> {
    for (let at = Math.max(0, this.#next - this.#capacity); at < this.#next; at++) {
      const transition = this.#ring[at % this.#capacity]
      if (transition !== undefined) yield transition
    }
  }

  /** The configuration was read again in this tick. */
  reconfigured(): void {
    this.#isConfigured = true
  }

  /** A VNI was derived anew in this tick: what changes in it is not the routing daemon's doing. */
  renewed(vni: number): void {
    this.#renewed.add(vni)
  }

  /** Who changed the VNI in this tick; undefined = nobody. */
  renewedBy(vni: number): By | undefined {
    if (!this.#renewed.has(vni)) return undefined
    return this.#isConfigured ? 'configuration' : 'devices'
  }

  /** A tick is over. */
  ticked(): void {
    this.#renewed.clear()
    this.#isConfigured = false
  }

  #forget(transition: Transition | undefined): void {
    if (transition?.key !== undefined) this.#waiting.delete(transition.key)
  }
}
