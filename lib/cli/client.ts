// A client of a control socket: one request, one answer (Open vSwitch's unixctl protocol, as ovs-appctl speaks it).
import net from 'node:net'
import { checkSocketPath } from '../daemon/control/probe.js'
import { JsonSplitter } from '../ovsdb/index.js'

/** Milliseconds without a word after which nobody is taken to answer: a daemon that is stopped still lets itself be connected to. */
const SILENCE_MS = 30_000

/** The daemon answered with an error. */
export class RefusedError extends Error {}

/** Sends one command and returns the text of its answer. Rejects with RefusedError, with what went wrong on the way, or when `end` is aborted. */
export async function callControl(path: string, method: string, params: readonly string[], end?: AbortSignal): Promise<string> {
  checkSocketPath(path)
  const socket = net.connect({ path, ...(end === undefined ? {} : { signal: end }) })
  socket.setTimeout(SILENCE_MS, () => socket.destroy(new Error(`no answer within ${SILENCE_MS / 1000} s`)))
  try {
    socket.write(JSON.stringify({ id: 0, method, params }))
    const splitter = new JsonSplitter()
    for await (const bytes of socket as AsyncIterable<Buffer>) {
      for (const message of splitter.push(bytes)) return readAnswer(message)
    }
    throw new Error('the connection was closed without an answer')
  } finally {
    socket.destroy()
  }
}

function readAnswer(message: unknown): string {
  const { result, error } = message as { readonly result?: unknown, readonly error?: unknown }
  if (typeof error === 'string') throw new RefusedError(error.trimEnd())
  if (typeof result === 'string') return result
  throw new Error('the answer is no text')
}
