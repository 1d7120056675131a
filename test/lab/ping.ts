// Pings between hosts of a lab: one burst with a count, or a stream that runs beside something else.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Lab } from './lab.js'
import { addressOf, SpecError } from './spec.js'

export interface PingOptions {
  /** Which address of a workload named as destination. Default 4. */
  readonly family?: 4 | 6
  /** Packets. Default 3. */
  readonly count?: number
  /** Seconds between packets. Default 0.1. */
  readonly interval?: number
  /** Seconds to wait for the last reply. Default 1. */
  readonly timeout?: number
}

export interface PingResult {
  readonly sent: number
  readonly received: number
}

/** A stream of pings that runs until it is stopped. */
export interface PingStream {
  readonly stop: () => Promise<PingResult>
}

/** Pings from a host to a workload (by name) or an address, and counts the replies. */
export async function ping(lab: Lab, from: string, to: string, options: PingOptions = {}): Promise<PingResult> {
  const { count = 3, interval = 0.1, timeout = 1 } = options
  const limits = ['-c', String(count), '-i', String(interval), '-W', String(timeout)]
  const { stdout, stderr } = await lab.exec(from, ['ping', '-n', '-q', ...limits, target(lab, to, options)], { allowFailure: true })
  return parseCounts(stdout, stderr)
}

/** Pings every `interval` seconds (default 0.01) until stopped; a reply may take up to a second after that. */
export function startPing(lab: Lab, from: string, to: string, options: Pick<PingOptions, 'family' | 'interval'> = {}): PingStream {
  const child = lab.spawn(from, ['ping', '-n', '-q', '-W', '1', '-i', String(options.interval ?? 0.01), target(lab, to, options)])
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => { output.stdout += text })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { output.stderr += text })
  const closed = once(child, 'close')
  return { stop: () => stopPing(child, closed, output) }
}

async function stopPing(child: ChildProcess, closed: Promise<unknown>, output: { stdout: string, stderr: string }): Promise<PingResult> {
  child.kill('SIGINT')
  await closed
  return parseCounts(output.stdout, output.stderr)
}

function target(lab: Lab, to: string, { family = 4 }: Pick<PingOptions, 'family'>): string {
  const workload = lab.plan.workloads.find(({ name }) => name === to)
  if (workload === undefined) return to
  const address = addressOf(workload, family)
  if (address === undefined) throw new SpecError(`lab: workload ${to} has no IPv${family} address`)
  return address
}

function parseCounts(stdout: string, stderr: string): PingResult {
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(stdout)
  if (counts === null) throw new Error(`ping printed no counts: ${stderr.trim() || stdout.trim()}`)
  return { sent: Number(counts[1]), received: Number(counts[2]) }
}
