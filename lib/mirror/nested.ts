// A map of maps: the first key is what one asks for as a whole (a device, a VNI), the second names one thing in it.
import type { Copies, MapCopy } from '../net/copies.js'

export class NestedMap<Outer, Inner, Value> {
  readonly #maps = new Map<Outer, Map<Inner, Value>>()
  /** While a copy is made. */
  #parts: ReadonlyMap<Outer, MapCopy<Inner, Value>> | undefined

  get(outer: Outer, inner: Inner): Value | undefined {
    return this.#maps.get(outer)?.get(inner)
  }

  set(outer: Outer, inner: Inner, value: Value): void {
    this.#parts?.get(outer)?.keep(inner)
    const map = this.#maps.get(outer)
    if (map === undefined) this.#maps.set(outer, new Map([[inner, value]]))
    else map.set(inner, value)
  }

  delete(outer: Outer, inner: Inner): void {
    const map = this.#maps.get(outer)
    if (map === undefined) return
    this.#parts?.get(outer)?.keep(inner)
    map.delete(inner)
    if (map.size === 0) this.#maps.delete(outer)
  }

  /** Another map of the same values, which is complete when `copies` are. One at a time. */
  copy(copies: Copies): NestedMap<Outer, Inner, Value> {
    const copy = new NestedMap<Outer, Inner, Value>()
    const parts = new Map<Outer, MapCopy<Inner, Value>>()
    for (const [outer, map] of this.#maps) {
      const target = new Map<Inner, Value>()
      copy.#maps.set(outer, target)
      parts.set(outer, copies.begin(map, target))
    }
    this.#parts = parts
    copies.atEnd(() => { this.#parts = undefined })
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
