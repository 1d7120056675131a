// The daemon of a chassis dies without a word (kill -9) while packets pass, and another one takes over.
import type { Daemon } from '../lab/daemon.js'
import type { Lab } from '../lab/lab.js'
import type { Workload } from '../lab/spec.js'
import { waitFor } from '../lab/wait.js'
import { some } from './compare.js'
import { FlowMonitor } from './flow-monitor.js'
import { Unmet } from './screen.js'
import { PingStream, type StreamResult } from './stream.js'

export interface RestartResult {
  readonly streams: readonly (StreamResult & { readonly name: string })[]
  /** What the new daemon has done, as `coverage/show` says. */
  readonly coverage: Readonly<Record<string, number>>
  /** What the OpenFlow monitor saw. */
  readonly events: readonly string[]
  /** Milliseconds from the start of the new daemon until it knew everything again. */
  readonly ready: number
  readonly daemon: Daemon
}

/** Numbers of memory/show that a daemon must reach again: what it wants, what is there, what it has learned. */
const KNOWLEDGE = /_(desired|realized)$|^(macs|vteps|ips)$/
/** Replies that every stream must get before the kill, without a daemon, and after the restart. */
const REPLIES = 100

/** Kills the daemon while pings run both ways between two workloads, and starts it again. */
export async function restartUnderTraffic(
  lab: Lab, chassis: string, daemon: Daemon, [a, b]: readonly [Workload, Workload]
): Promise<RestartResult> {
  const before = await numbers(daemon, 'memory/show')
  const monitor = await FlowMonitor.start(lab, chassis)
  const streams = ([4, 6] as const).flatMap((family) => [new PingStream(lab, a, b, family), new PingStream(lab, b, a, family)])
  await moreReplies(streams, 'before the daemon is killed')
  await daemon.stop('SIGKILL')
  await moreReplies(streams, 'without a daemon')
  const started = performance.now()
  const next = await lab.startDaemon(chassis)
  await waitUntilSettled(next, before)
  const ready = performance.now() - started
  await moreReplies(streams, 'with the new daemon')
  await monitor.probe()
  const results = await Promise.all(streams.map(async (stream) => ({ name: stream.name, ...await stream.stop() })))
  monitor.stop()
  return { streams: results, coverage: await numbers(next, 'coverage/show'), events: monitor.events, ready, daemon: next }
}

/** Packets sent; throws Unmet when one was lost or answered twice. */
export function judgeLoss(streams: RestartResult['streams']): number {
  const sent = streams.reduce((sum, stream) => sum + stream.sent, 0)
  const bad = streams.filter(({ lost, duplicates }) => lost + duplicates > 0)
  if (bad.length > 0) {
    throw new Unmet('every packet to be answered once', bad.map((stream) =>
      `${stream.name}: of ${stream.sent} packets ${stream.lost} lost, ${stream.duplicates} answered twice`).join('; '))
  }
  return sent
}

/**
 * Throws Unmet when the new daemon sent the switch anything. Kernel writes are not judged: with more than 512 neighbours
 * on the machine (gc_thresh2), whoever they belong to, the kernel drops some of ours, and they have to be written again.
 */
export function judgeMods(coverage: RestartResult['coverage']): void {
  const sent = ['flow_mods', 'group_mods'].filter((counter) => (coverage[counter] ?? 0) > 0)
  const got = sent.map((counter) => `${counter} ${coverage[counter]}`).join(', ')
  if (sent.length > 0) throw new Unmet('no flow-mod and no group-mod', got)
}

/** Throws Unmet when the monitor saw anything. */
export function judgeEvents(events: readonly string[]): void {
  if (events.length > 0) throw new Unmet('no event', `${events.length}: ${some(events)}`)
}

async function moreReplies(streams: readonly PingStream[], when: string): Promise<void> {
  const goals = streams.map((stream) => ({ stream, goal: stream.answered + REPLIES }))
  await waitFor(`${REPLIES} more replies for each ping ${when}`, () => {
    const late = goals.filter(({ stream, goal }) => stream.answered < goal)
    return late.length === 0 || late.map(({ stream, goal }) => `${stream.name}: ${goal - stream.answered} missing`).join(', ')
  }, 10_000, 20)
}

/** The new daemon has read the switch back, and what it wants there is what is there: as much as the old one wanted. */
async function waitUntilSettled(daemon: Daemon, before: Readonly<Record<string, number>>): Promise<void> {
  await waitFor('the new daemon to know everything again', async () => {
    const [memory, coverage] = await Promise.all([numbers(daemon, 'memory/show'), numbers(daemon, 'coverage/show')])
    const differs = Object.keys(before).filter((name) => KNOWLEDGE.test(name) && memory[name] !== before[name])
    if ((coverage['switch_read_backs'] ?? 0) < 1) return 'the switch is not read back yet'
    return differs.length === 0 || differs.map((name) => `${name} ${memory[name] ?? 0} instead of ${before[name]}`).join(', ')
  }, 10_000, 20)
}

/** The `name:number` and `name total: number` pairs that a control command prints. */
async function numbers(daemon: Daemon, command: string): Promise<Record<string, number>> {
  const text = await daemon.appctl(command)
  return Object.fromEntries([...text.matchAll(/([\w-]+)(?:\s+total)?:\s*(\d+)/g)].map(([, name = '', value]) => [name, Number(value)]))
}
