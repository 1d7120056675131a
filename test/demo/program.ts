// Running the demo as a program, for tests.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { plainEnv } from '../lab/process.js'
import { waitFor } from '../lab/wait.js'

/** The compiled demo. */
export const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.url))

/** The test runner loads itself into every Node.js program by this variable; a user's demo does not have it. */
export const BARE = ['env', '-u', 'NODE_OPTIONS'] as const

/** A demo that runs, in a process group of its own as a terminal would give it. */
export class DemoProgram {
  readonly #child: ChildProcess
  readonly #ended: Promise<[code: number | null, signal: NodeJS.Signals | null]>
  stdout = ''
  stderr = ''

  constructor(...args: readonly string[]) {
    const [env, ...argv] = [...BARE, process.execPath, '--enable-source-maps', PROGRAM, ...args]
    this.#child = spawn(env, argv, { detached: true, env: plainEnv(), stdio: ['ignore', 'pipe', 'pipe'] })
    this.#ended = once(this.#child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => { this.stdout += text })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.stderr += text })
  }

  /** Exit code or signal. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    const [code, signal] = await this.#ended
    return code ?? signal
  }

  /** Waits until the demo has printed this text. */
  async printed(text: string): Promise<void> {
    await waitFor(`the demo to print '${text}'`, () => this.stdout.includes(text) || this.stdout + this.stderr, 60_000, 10)
  }

  /** Ctrl-C reaches the whole process group; so does this. */
  signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal)
  }

  /** The id of the lab it built. */
  get labId(): string {
    return /building the lab '([a-z0-9]+)'/.exec(this.stdout)?.[1] ?? ''
  }
}
