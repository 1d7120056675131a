// Asking the daemon: one command over its control socket, with the sentence for what goes wrong.
import type { ShowReport } from '../daemon/report/report.js'
import { callControl, RefusedError } from './client.js'
import { EXIT_UNREACHABLE, EXIT_USAGE, Failure } from './failure.js'
import { noVnis } from './show.js'
import { unreachable } from './unreachable.js'

/** VNIs named to somebody who asked for one that is not there. */
const NAMED_VNIS = 5

/** One command and its answer. Rejects with Failure. */
export function call(socket: string, method: string, ...params: readonly string[]): Promise<string> {
  return callUntil(undefined, socket, method, ...params)
}

/** The same, given up at once when `end` is aborted: a daemon that hangs is not waited for. */
export async function callUntil(end: AbortSignal | undefined, socket: string, method: string, ...params: readonly string[]): Promise<string> {
  try {
    return await callControl(socket, method, params, end)
  } catch (error) {
    if (error instanceof RefusedError) throw new Failure(EXIT_UNREACHABLE, `${socket}: ${error.message}`)
    throw unreachable(socket, error as Error)
  }
}

/** The daemon's report as JSON text that ends in a newline. */
export function report(socket: string, kind: string, vni?: number): Promise<string> {
  return call(socket, 'evpn/report', kind, ...(vni === undefined ? [] : [String(vni)]))
}

/** A VNI nobody has is a typing error more often than not: an empty list would hide that. */
export async function requireVni(socket: string, vni: number): Promise<void> {
  const known = (JSON.parse(await report(socket, 'show')) as ShowReport).vnis.map(row => row.vni)
  if (known.includes(vni)) return
  if (known.length === 0) throw new Failure(EXIT_USAGE, `VNI ${vni} is unknown to the daemon. ${noVnis().trimEnd()}`)
  const nearest = known.sort((a, b) => Math.abs(a - vni) - Math.abs(b - vni) || a - b).slice(0, NAMED_VNIS)
  const rest = known.length > nearest.length ? ` and ${known.length - nearest.length} more` : ''
  throw new Failure(EXIT_USAGE, `VNI ${vni} is unknown to the daemon; it knows ${nearest.join(', ')}${rest}`)
}
