// What the listener of --metrics serves, put together.
import type { Agent } from '../agent.js'
import { dropReports } from '../drop-reports.js'
import type { ModuleLog } from '../log/log.js'
import type { DropReport } from '../report.js'
import type { SessionStates } from '../reports.js'
import { isLoopback, type ListenAddress } from './address.js'
import { Cached } from './cached.js'
import { Metrics } from './metrics.js'
import { HttpServer, type Route } from './server.js'

export interface Served {
  readonly agent: Agent
  readonly version: string
  readonly log: ModuleLog
  readonly sessions: () => SessionStates
}

/** Ages in ms: however often somebody asks, this often it is made. */
const METRICS_AGE = 1_000
const DROPS_AGE = 5_000
/** Ms that the switch has to tell its counters; a scrape does not wait longer. */
const PATIENCE = 2_000

/** Listens. Rejects with a sentence when that cannot be. */
export async function serveHttp(address: ListenAddress, { agent, version, sessions, log }: Served): Promise<HttpServer> {
  const drops = lastDrops(agent)
  const metrics = new Metrics(async () => ({ agent, version, sessions: sessions(), drops: await drops() }), agent.state.switch.latency)
  const text = new Cached(METRICS_AGE, () => metrics.render())
  const routes = new Map<string, Route>([
    ['/metrics', { kind: 'answer', answer: async () => ({ type: metrics.type, body: await text.get() }) }]
  ])
  const server = new HttpServer({ routes, log })
  const { host } = address
  const port = await server.listen(address)
  log.info(`serving metrics on ${host} port ${port}`)
  if (!isLoopback(host)) log.warn(`${host} is not loopback: whoever reaches port ${port} there can read what this chassis knows, without a password`)
  return server
}

/** The counters of drops, as the switch told them last: one that is away, or does not answer, keeps nobody waiting. */
function lastDrops(agent: Agent): () => Promise<readonly DropReport[]> {
  let last: readonly DropReport[] = []
  const asked = new Cached(DROPS_AGE, async () => {
    last = await dropReports(agent.state, undefined)
  })
  return async () => {
    const timeout = AbortSignal.timeout(PATIENCE)
    await Promise.race([asked.get().catch(() => undefined), new Promise((resolve) => timeout.addEventListener('abort', resolve, { once: true }))])
    return last
  }
}
