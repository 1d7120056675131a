// Running one program to its end, without a shell, with an error that says which program failed and why.
import { spawn } from 'node:child_process'
import { PATIENCE } from './wait.js'

export interface RunOptions {
  /** The whole environment, the caller's own when missing; on a host of the lab: additions to that host's. */
  readonly env?: NodeJS.ProcessEnv
  /** The caller's own when missing. */
  readonly cwd?: string
  /** Written to standard input, which is then closed. */
  readonly input?: string
  /** SIGKILL after this time (times PATIENCE). Default 60 s. */
  readonly timeoutMs?: number
  /** Return a non-zero exit code instead of throwing. */
  readonly allowFailure?: boolean
}

export interface RunResult {
  readonly stdout: string
  readonly stderr: string
  /** Exit code; 128 + signal number is not used: a killed program has code -1. */
  readonly code: number
}

/** A program that ended with a code other than 0. */
export class RunError extends Error {
  constructor(readonly argv: readonly string[], readonly result: RunResult) {
    const said = (result.stderr.trim() || result.stdout.trim() || 'no output').slice(-2000)
    super(`'${argv.join(' ')}' failed with code ${result.code}: ${said}`)
    this.name = 'RunError'
  }
}

/** Runs `argv` and returns what it printed. Throws RunError on a non-zero code, unless allowed. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await collect(argv, options)
  if (result.code !== 0 && options.allowFailure !== true) throw new RunError(argv, result)
  return result
}

function collect(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const [program = '', ...args] = argv
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: options.env, cwd: options.cwd, timeout: (options.timeoutMs ?? 60_000) * PATIENCE, killSignal: 'SIGKILL' })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
    child.stdin.on('error', () => undefined) // EPIPE: the program ended without reading; its exit code tells the story
    child.on('error', (error) => { reject(new Error(`cannot run '${argv.join(' ')}': ${error.message}`)) })
    child.on('close', (code, signal) => {
      resolve({ stdout, stderr: signal === null ? stderr : `${stderr}killed by ${signal}`, code: code ?? -1 })
    })
    child.stdin.end(options.input ?? '')
  })
}
