// A value that costs something to get, for as many clients as may ask: got once at a time, and not again before its time.
export class Cached<T> {
  readonly #get: () => Promise<T>
  readonly #age: number
  #value: Promise<T> | undefined
  #gotAt = -Infinity
  #isUnderWay = false

  /** `age`: how old it may be, in ms. */
  constructor(age: number, get: () => Promise<T>) {
    this.#age = age
    this.#get = get
  }

  /** Rejects when it could not be got. */
  get(): Promise<T> {
    if (this.#value === undefined || (!this.#isUnderWay && performance.now() - this.#gotAt >= this.#age)) this.#value = this.#renew()
    return this.#value
  }

  async #renew(): Promise<T> {
    this.#isUnderWay = true
    try {
      return await this.#get()
    } finally {
      this.#isUnderWay = false
      this.#gotAt = performance.now()
    }
  }
}
