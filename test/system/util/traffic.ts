// Pings that run while something else happens, and how many of them were lost.
import { PingStream, type StreamResult } from '../../demo/stream.js'
import type { Lab } from '../../lab/lab.js'
import { ping } from '../../lab/ping.js'
import type { Workload } from '../../lab/spec.js'
import { waitFor } from '../../lab/wait.js'

export type Loss = StreamResult & { readonly name: string }

/** Replies that every stream must get before what happens, and after it. */
const REPLIES = 60

/**
 * Pings IPv4 and IPv6 between pairs of workloads, 200 times a second each way (fewer on an emulated machine), while `happens` runs: from before it until
 * replies have come after it.
 */
export async function underTraffic(lab: Lab, pairs: readonly (readonly [string, string])[], happens: () => Promise<void>): Promise<readonly Loss[]> {
  const ways = pairs.flatMap(([a, b]) => ([4, 6] as const).map((family) => ({ a: workloadOf(lab, a), b: workloadOf(lab, b), family })))
  await Promise.all(ways.map(({ a, b, family }) => waitFor(`${a.name} to reach ${b.name} by IPv${family}`, async () =>
    (await ping(lab, a.name, b.name, { family, count: 1 })).received === 1)))
  const streams = ways.map(({ a, b, family }) => new PingStream(lab, a, b, family))
  await moreReplies(streams)
  await happens()
  await moreReplies(streams)
  return await Promise.all(streams.map(async (stream) => ({ name: stream.name, ...await stream.stop() })))
}

/** A line for each stream that lost something. */
export function losses(results: readonly Loss[]): string[] {
  return results.filter(({ lost, duplicates }) => lost + duplicates > 0)
    .map(({ name, sent, lost, duplicates }) => `${name}: of ${sent} packets ${lost} lost, ${duplicates} answered twice`)
}

export function packetsSent(results: readonly Loss[]): number {
  return results.reduce((sum, { sent }) => sum + sent, 0)
}

function workloadOf(lab: Lab, name: string): Workload {
  const { workload } = lab.host(name)
  if (workload === undefined) throw new Error(`${name} is no workload`)
  return workload
}

async function moreReplies(streams: readonly PingStream[]): Promise<void> {
  const goals = streams.map((stream) => ({ stream, goal: stream.answered + REPLIES }))
  await waitFor(`${REPLIES} more replies for each ping`, () => {
    const late = goals.filter(({ stream, goal }) => stream.answered < goal)
    return late.length === 0 || late.map(({ stream, goal }) => `${stream.name}: ${goal - stream.answered} missing`).join(', ')
  }, 15_000, 20)
}
