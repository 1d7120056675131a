// Copies of maps as they were at one moment, made piece by piece while the maps live on: what is about to change and was not copied
// yet is copied first, which the owner of the map sees to, by `keep`.

interface Part {
  /** Copies up to so many entries; returns how many it had no use for. */
  readonly step: (limit: number) => number
}

export class MapCopy<K, V> implements Part {
  readonly #source: ReadonlyMap<K, V>
  readonly #target: Map<K, V>
  readonly #show: (value: V) => V | undefined
  readonly #rest: Iterator<[K, V]>
  /** Keys that changed since it began, or came. */
  #changed: Set<K> | undefined

  constructor(source: ReadonlyMap<K, V>, target: Map<K, V>, show: (value: V) => V | undefined) {
    this.#source = source
    this.#target = target
    this.#show = show
    this.#rest = source.entries()
  }

  /** To be called before this key is set, changed in place, or deleted. */
  keep(key: K): void {
    this.#changed ??= new Set()
    if (this.#changed.has(key)) return
    this.#changed.add(key)
    if (!this.#target.has(key)) this.#take(key, this.#source.get(key))
  }

  step(limit: number): number {
    for (let left = limit; left > 0; left--) {
      const next = this.#rest.next()
      if (next.done === true) return left
      const [key, value] = next.value
      if (this.#changed?.has(key) !== true) this.#take(key, value)
    }
    return 0
  }

  #take(key: K, value: V | undefined): void {
    const shown = value === undefined ? undefined : this.#show(value)
    if (shown !== undefined) this.#target.set(key, shown)
  }
}

/** All that is copied together, as of the moment when all of it was begun. */
export class Copies {
  readonly #parts: Part[] = []
  readonly #ends: (() => void)[] = []
  #at = 0

  /** Begins to copy `source` into `target`. `show` makes what is kept of a value; undefined = nothing. */
  begin<K, V>(source: ReadonlyMap<K, V>, target: Map<K, V>, show: (value: V) => V | undefined = (value) => value): MapCopy<K, V> {
    const part = new MapCopy(source, target, show)
    this.#parts.push(part)
    return part
  }

  /** What to do when nothing needs to be kept any more. */
  atEnd(act: () => void): void {
    this.#ends.push(act)
  }

  /** Copies up to `limit` entries; false when all is copied. */
  step(limit: number): boolean {
    for (let left = limit; left > 0;) {
      const part = this.#parts[this.#at]
      if (part === undefined) return false
      left = part.step(left)
      if (left > 0) this.#at++
    }
    return true
  }

  /** To be called whatever happens. */
  end(): void {
    for (const act of this.#ends) act()
  }
}
