// A client of a control socket: one request, one answer (Open vSwitch's unixctl protocol, as ovs-appctl speaks it).
import net from 'node:net'
import { checkSocketPath } from '../daemon/control/probe.js'
import { JsonSplitter } from '../ovsdb/index.js'

/** Milliseconds without a word after which nobody is taken to answer: a daemon that is stopped still lets itself be connected to. */
const SILENCE_S = 30

/** The daemon answered with an error. */
export class RefusedError extends Error {}

/** silent: connected, and no answer came; closed: the connection ended without one; strange: what came is none. */
export class CallError extends Error {
  readonly kind: 'silent' | 'closed' | 'strange'

  constructor(kind: CallError['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/** Sends one command and returns the text of its answer. Rejects with RefusedError, with what went wrong on the way, or when `end` is aborted. */
export async function callControl(path: string, method: string, params: readonly string[], end?: AbortSignal): Promise<string> {
  checkSocketPath(path)
  const socket = net.connect({ path, ...(end === undefined ? {} : { signal: end }) })
  const seconds = silence()
  socket.setTimeout(seconds * 1_000, () => socket.destroy(new CallError('silent', `has not answered for ${seconds} s`)))
  try {
    socket.write(JSON.stringify({ id: 0, method, params }))
    const splitter = new JsonSplitter()
    for await (const bytes of socket as AsyncIterable<Buffer>) {
      for (const message of answersIn(splitter, bytes)) return readAnswer(message)
    }
    throw new CallError('closed', 'the connection was closed without an answer')
  } finally {
    socket.destroy()
  }
}

/** As for the tools of Open vSwitch, the environment may say how long to wait. */
function silence(): number {
  const seconds = Number(process.env['OVS_CTL_TIMEOUT'])
  return Number.isInteger(seconds) && seconds > 0 ? seconds : SILENCE_S
}

function answersIn(splitter: JsonSplitter, bytes: Buffer): readonly unknown[] {
  try {
    return [...splitter.push(bytes)]
  } catch (error) {
    throw new CallError('strange', `its answer is no JSON (${error instanceof Error ? error.message : String(error)})`)
  }
}

function readAnswer(message: unknown): string {
  const { result, error } = (message ?? {}) as { readonly result?: unknown, readonly error?: unknown }
  if (typeof error === 'string') throw new RefusedError(error.trimEnd())
  if (typeof result === 'string') return result
  throw new CallError('strange', 'the answer is no text')
}
