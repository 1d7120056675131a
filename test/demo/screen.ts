// What the demo prints: steps with the time they began, tables, a verdict for each thing shown, and the summary.

/** Something was not as it must be. The message is one sentence: what was expected and what was there. */
export class Unmet extends Error {
  override readonly name = 'Unmet'

  constructor(expected: string, got: string) {
    super(`expected ${expected}; got ${got}`)
  }
}

/** The part of a terminal or pipe that is written to. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  hasColors?(): boolean
}

/** SGR parameters (ECMA-48 section 8.3.117). */
const STYLE = { bold: 1, dim: 2, red: 31, green: 32 } as const

interface Verdict {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

export class Screen {
  readonly #output: Output
  readonly #started = performance.now()
  readonly #verdicts: Verdict[] = []
  #isAfterBlank = true

  constructor(output: Output) {
    this.#output = output
  }

  /** True while nothing has failed. */
  get allPassed(): boolean {
    return this.#verdicts.every(({ ok }) => ok)
  }

  /** One line of progress, with the seconds since the start. */
  step(text: string): void {
    const time = `${this.#seconds().toFixed(1)} s`.padStart(7)
    this.#line(`${this.#paint('dim', time)}  ${text}`)
  }

  /** A text of any number of lines, under a heading. */
  show(heading: string, text: string): void {
    const body = text.trimEnd().split('\n').map((line) => `  ${line}`.trimEnd())
    for (const line of ['', this.#paint('bold', heading), '', ...body, '']) this.#line(line)
  }

  /**
   * Does something that must succeed, and notes whether it did. Returns its value, or undefined when it threw: what can
   * still be shown without it goes on. `detail` says in a few words what was seen.
   */
  async check<T>(name: string, act: () => T | Promise<T>, detail: (value: T) => string): Promise<T | undefined> {
    try {
      const value = await act()
      this.#judge({ name, ok: true, detail: detail(value) })
      return value
    } catch (error) {
      this.#judge({ name, ok: false, detail: error instanceof Error ? error.message : String(error) })
      return undefined
    }
  }

  /** Every verdict again, and one last line that says how it went. */
  summarize(): void {
    this.show('Summary', this.#verdicts.map((verdict) => this.#verdictLine(verdict)).join('\n'))
    const failed = this.#verdicts.filter(({ ok }) => !ok).length
    const result = failed === 0 ? `all ${this.#verdicts.length} checks passed` : `${failed} of ${this.#verdicts.length} checks failed`
    this.#line(`demo: ${this.#paint(failed === 0 ? 'green' : 'red', result)} in ${this.#seconds().toFixed(1)} s`)
  }

  #judge(verdict: Verdict): void {
    this.#verdicts.push(verdict)
    this.step(this.#verdictLine(verdict))
  }

  #verdictLine({ name, ok, detail }: Verdict): string {
    const word = ok ? this.#paint('green', 'PASS') : this.#paint('red', 'FAIL')
    return `${word}  ${name}${detail === '' ? '' : `: ${detail}`}`
  }

  #seconds(): number {
    return (performance.now() - this.#started) / 1000
  }

  /** Colours only where somebody sees them; Node's hasColors honours NO_COLOR and TERM=dumb. */
  #paint(style: keyof typeof STYLE, text: string): string {
    return this.#output.isTTY === true && this.#output.hasColors?.() === true ? `\x1b[${STYLE[style]}m${text}\x1b[0m` : text
  }

  /** Never two empty lines in a row. */
  #line(text: string): void {
    if (text !== '' || !this.#isAfterBlank) this.#output.write(text + '\n')
    this.#isAfterBlank = text === ''
  }
}
