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
  readonly ms: number | undefined
}

/** What happened from a sequence number on. */
export interface Slice {
  readonly transitions: readonly Transition[]
  /** To ask with the next time. */
  readonly next: number
  /** So many were forgotten already. */
  readonly missed: number
}

/** Transitions that are remembered: some 2 MB. */
const CAPACITY = 20_000
/** What waits for the switch is told after so many ms all the same. */
const PATIENCE = 1_000

/** Words are written over in place: an object for each transition would live just long enough to be expensive to collect. */
type Words = Pick<Note, 'kind' | 'of' | 'from' | 'to' | 'by' | 'key'>

export class History {
  /** When it began: another daemon has another history. */
  readonly began = Date.now()
  readonly #capacity: number
  readonly #words: { -readonly [field in keyof Words]: Words[field] }[] = []
  /** VNI + 1, 0 = none. */
  readonly #vni: Uint32Array
  readonly #at: Float64Array
  readonly #since: Float64Array
  /** NaN = not known. */
  readonly #ms: Float64Array
  /** Slots by the key that they wait for. */
  readonly #waiting = new Map<string, number>()
  /** VNIs that were derived anew in this tick, and whether that was for the configuration. */
  readonly #renewed = new Set<number>()
  #isConfigured = false
  #isOpen = false
  #next = 0

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity
    this.#vni = new Uint32Array(capacity)
    this.#at = new Float64Array(capacity)
    this.#since = new Float64Array(capacity)
    this.#ms = new Float64Array(capacity)
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
    return this.#next === 0 ? undefined : this.#read(this.#first)
  }

  record({ kind, vni, of, from, to, by, since = performance.now(), key }: Note): void {
    if (!this.#isOpen) return
    const slot = this.#next++ % this.#capacity
    this.#write(slot, kind, of, from, to, by, key)
    this.#vni[slot] = vni === undefined ? 0 : vni + 1
    this.#at[slot] = Date.now()
    this.#since[slot] = since
    this.#ms[slot] = NaN
    if (key === undefined) return
    // It never came to be: something else is wanted there now.
    const before = this.#words[this.#waiting.get(key) ?? slot]
    if (before !== this.#words[slot] && before !== undefined) before.key = undefined
    this.#waiting.set(key, slot)
  }

  /** What was to be written at this key is there. */
  confirmed(key: string, now = performance.now()): void {
    const slot = this.#waiting.get(key)
    const words = slot === undefined ? undefined : this.#words[slot]
    if (slot === undefined || words === undefined) return
    this.#waiting.delete(key)
    words.key = undefined
    this.#ms[slot] = Math.max(0, now - (this.#since[slot] ?? now))
  }

  /** Up to `limit` transitions from this number on. One that waits for the switch is told with its latency, or after a second. */
  since(seq: number, limit = 1_000, now = performance.now()): Slice {
    const first = Math.max(seq, this.#first)
    const transitions: Transition[] = []
    for (let at = first; at < this.#next && transitions.length < limit; at++) {
      const slot = at % this.#capacity
      if (this.#words[slot]?.key !== undefined && now - (this.#since[slot] ?? 0) < PATIENCE) break
      transitions.push(this.#read(at))
    }
    return { transitions, next: first + transitions.length, missed: Math.max(0, first - seq) }
  }

  /** All that is remembered, oldest first. */
  * all(): IterableIterator<Transition> {
    for (let at = this.#first; at < this.#next; at++) yield this.#read(at)
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

  get #first(): number {
    return Math.max(0, this.#next - this.#capacity)
  }

  #write(slot: number, kind: Words['kind'], of: string, from: string | undefined, to: string | undefined, by: By, key: string | undefined): void {
    const words = this.#words[slot]
    if (words === undefined) {
      this.#words[slot] = { kind, of, from, to, by, key }
      return
    }
    if (words.key !== undefined) this.#waiting.delete(words.key)
    words.kind = kind
    words.of = of
    words.from = from
    words.to = to
    words.by = by
    words.key = key
  }

  #read(seq: number): Transition {
    const slot = seq % this.#capacity
    const words = this.#words[slot]
    const [vni = 0, at = 0, ms = NaN] = [this.#vni[slot], this.#at[slot], this.#ms[slot]]
    if (words === undefined) throw new Error(`transition ${seq} was never written`)
    const { kind, of, from, to, by } = words
    return { seq, at, kind, vni: vni === 0 ? undefined : vni - 1, of, from, to, by, ms: Number.isNaN(ms) ? undefined : ms }
  }
}
