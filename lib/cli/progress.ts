// What a command that takes long is at, on one line of the terminal that is written over and goes when the command has its answer.
// In a pipe, and for what is quick, nothing is said.
import type { Environment } from '../daemon/options.js'
import type { CliOutput } from './run.js'

/** Says what is done from now on. */
export type Step = (text: string) => void

/** In ms: what takes less is no reason to say something, and the line counts from then on; between two steps that are shown. */
const [SLOW, CALM] = [1_000, 100]
/** Columns that every terminal has: a line that wraps could not be written over. */
const WIDTH = 79

/** Back to the first column, and all of the line erased. */
const ERASE = '\r\x1b[K'

/** Does the work; `step` tells what it is at. */
export async function withProgress<T>({ complain, isErrorTerminal = false }: CliOutput, env: Environment, work: (step: Step) => Promise<T>): Promise<T> {
  if (!isErrorTerminal || env['TERM'] === 'dumb') return await work(() => undefined)
  const line = new Line(complain)
  try {
    return await work((text) => line.step(text))
  } finally {
    line.end()
  }
}

class Line {
  readonly #write: (text: string) => void
  readonly #began = performance.now()
  readonly #timer: NodeJS.Timeout
  #text = ''
  #shownAt: number | undefined

  constructor(write: (text: string) => void) {
    this.#write = write
    this.#timer = setInterval(() => this.#show(), SLOW).unref()
  }

  step(text: string): void {
    this.#text = text
    if (this.#shownAt !== undefined && performance.now() - this.#shownAt >= CALM) this.#show()
  }

  end(): void {
    clearInterval(this.#timer)
    if (this.#shownAt !== undefined) this.#write(ERASE)
  }

  #show(): void {
    this.#shownAt = performance.now()
    this.#write(ERASE + `${this.#text}, ${Math.floor((this.#shownAt - this.#began) / 1_000)} s`.slice(0, WIDTH))
  }
}
