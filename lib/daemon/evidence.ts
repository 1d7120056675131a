// What was seen and no row of the kernel tells: the one place where claims remember. A frame from a port shows that
// what others say about its MAC is outdated; a device row that stood while we held the MAC is what FRR leaves behind.
// After a restart all of it is forgotten, which costs nothing but the next frame: a row of ours on our device is a
// claim we hold, any other row is another's claim that stands.
import type { EvidenceView } from '../evpn/remote-claim.js'
import { NestedMap } from '../mirror/nested.js'
import type { NeighRow } from '../netlink/index.js'
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'

/** Pauses after a claim over another's, in seconds: 1, 2, 4 ... 64. */
const LONGEST_PAUSE = 64
/** After so many seconds without such a claim the next pause is the first again: M of RFC 7432 section 15.1. */
const QUIET = 180

interface Memory {
  isHeld: boolean
  /** Claims over another's in a row. */
  claims: number
  pause: number | undefined
  timer: NodeJS.Timeout | undefined
}

export class Evidence implements EvidenceView {
  #outdated = new WeakSet<NeighRow>()
  readonly #memories = new NestedMap<Vni, Mac, Memory>()
  readonly #pauseOver: (vni: Vni, mac: Mac) => void

  /** `pauseOver` is called when a MAC may be claimed again, if there is evidence for it. It never leads to a claim by itself. */
  constructor(pauseOver: (vni: Vni, mac: Mac) => void) {
    this.#pauseOver = pauseOver
  }

  isOutdated(row: NeighRow): boolean {
    return this.#outdated.has(row)
  }

  wasHeld(vni: Vni, mac: Mac): boolean {
    return this.#memories.get(vni, mac)?.isHeld ?? false
  }

  pauseOf(vni: Vni, mac: Mac): number | undefined {
    return this.#memories.get(vni, mac)?.pause
  }

  /** We hold the MAC: rows of others that stand beside ours are what was before. */
  held(vni: Vni, mac: Mac, others: readonly NeighRow[]): void {
    this.#memory(vni, mac).isHeld = true
    for (const row of others) this.#outdated.add(row)
  }

  /** These rows belong to a claim that came after all that was seen here. */
  renewed(rows: readonly NeighRow[]): void {
    for (const row of rows) this.#outdated.delete(row)
  }

  /**
   * The MAC was seen here while these rows stood. The next claim over another's has to wait, twice as long each time. What is
   * seen during a pause says nothing new: frames that came in one burst, before the switch was told to stop looking, are one sign.
   */
  seen(vni: Vni, mac: Mac, rows: readonly NeighRow[]): void {
    const memory = this.#memory(vni, mac)
    if (memory.pause !== undefined) return
    for (const row of rows) this.#outdated.add(row)
    memory.pause = Math.min(2 ** memory.claims, LONGEST_PAUSE)
    memory.claims++
    this.#after(memory, memory.pause, () => {
      memory.pause = undefined
      this.#after(memory, QUIET, () => {
        memory.claims = 0
      })
      this.#pauseOver(vni, mac)
    })
  }

  /** The MAC is no longer bound here. */
  forget(vni: Vni, mac: Mac): void {
    clearTimeout(this.#memories.get(vni, mac)?.timer)
    this.#memories.delete(vni, mac)
  }

  /** News were lost: a row that reads as before may have been written again meanwhile. */
  newsLost(): void {
    this.#outdated = new WeakSet()
  }

  clear(): void {
    for (const vni of this.#memories.outers()) for (const { timer } of this.#memories.under(vni).values()) clearTimeout(timer)
  }

  #memory(vni: Vni, mac: Mac): Memory {
    const known = this.#memories.get(vni, mac)
    if (known !== undefined) return known
    const memory: Memory = { isHeld: false, claims: 0, pause: undefined, timer: undefined }
    this.#memories.set(vni, mac, memory)
    return memory
  }

  #after(memory: Memory, seconds: number, act: () => void): void {
    clearTimeout(memory.timer)
    memory.timer = setTimeout(act, seconds * 1_000).unref()
  }
}

/** What another one says, and nothing more: for asking what would be. */
export class EvidenceAsSeen extends Evidence {
  readonly #seen: EvidenceView

  constructor(seen: EvidenceView) {
    super(() => undefined)
    this.#seen = seen
  }

  override isOutdated(row: NeighRow): boolean {
    return this.#seen.isOutdated(row)
  }

  override wasHeld(vni: Vni, mac: Mac): boolean {
    return this.#seen.wasHeld(vni, mac)
  }

  override pauseOf(vni: Vni, mac: Mac): number | undefined {
    return this.#seen.pauseOf(vni, mac)
  }

  override held(): void { /* nothing is remembered */ }
  override renewed(): void { /* nothing is remembered */ }
  override forget(): void { /* nothing is remembered */ }
}
