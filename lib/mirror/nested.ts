// A map of maps: the first key is what one asks for as a whole (a device, a VNI), the second names one thing in it.

export class NestedMap<Outer, Inner, Value> {
  readonly #maps = new Map<Outer, Map<Inner, Value>>()

  get(outer: Outer, inner: Inner): Value | undefined {
    return this.#maps.get(outer)?.get(inner)
  }

  set(outer: Outer, inner: Inner, value: Value): void {
    const map = this.#maps.get(outer)
    if (map === undefined) this.#maps.set(outer, new Map([[inner, value]]))
    else map.set(inner, value)
  }

  delete(outer: Outer, inner: Inner): void {
    const map = this.#maps.get(outer)
    if (map === undefined) return
    map.delete(inner)
    if (map.size === 0) this.#maps.delete(outer)
  }

  /** Another map of the same values. */
  copy(): NestedMap<Outer, Inner, Value> {
    const copy = new NestedMap<Outer, Inner, Value>()
    for (const [outer, map] of this.#maps) copy.#maps.set(outer, new Map(map))
    return copy
  }

  /** Everything under one outer key; an empty map when there is nothing. */
  under(outer: Outer): ReadonlyMap<Inner, Value> {
    return this.#maps.get(outer) ?? new Map<Inner, Value>()
  }

  outers(): IterableIterator<Outer> {
    return this.#maps.keys()
  }

  /** How many outer keys there are. */
  get outerCount(): number {
    return this.#maps.size
  }
}

/** Adds to a count that is not there as long as it is 0. */
export function addCount<Outer, Inner>(counts: NestedMap<Outer, Inner, number>, outer: Outer, inner: Inner, step: number): void {
  const next = (counts.get(outer, inner) ?? 0) + step
  if (next === 0) counts.delete(outer, inner)
  else counts.set(outer, inner, next)
}
