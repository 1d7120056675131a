// What the listener of --metrics serves, put together.
import type { Agent } from '../agent.js'
import { dropReports } from '../report/drops.js'
import type { ModuleLog } from '../log/log.js'
import type { DropReport } from '../report/report.js'
import type { SessionStates } from '../report/reports.js'
import { isLoopback, type ListenAddress } from './address.js'
import { Cached } from './cached.js'
import { Events } from './events.js'
import { Metrics } from './metrics.js'
import { readPage } from './page.js'
import { explainAddress, explainVtep } from './questions.js'
import { HttpServer, type Answer, type Route } from './server.js'
import { snapshot } from './snapshot.js'

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

const ANSWERS_PER_SECOND = 20

/** Listens. Rejects with a sentence when that cannot be. */
export async function serveHttp(address: ListenAddress, { agent, version, sessions, log }: Served): Promise<HttpServer> {
  const drops = lastDrops(agent)
  const numbers = async () => ({ agent, version, sessions: sessions(), drops: await drops() })
  const metrics = new Metrics(numbers, agent.state.switch.latency)
  const text = new Cached(METRICS_AGE, () => metrics.render())
  const events = new Events(async () => JSON.stringify(snapshot(await numbers())))
  const page = readPage()
  const routes = new Map<string, Route>([
    ['/', { kind: 'answer', answer: () => ({ type: 'text/html; charset=utf-8', body: page.html }) }],
    ['/metrics', { kind: 'answer', isForAnyName: true, answer: async () => ({ type: metrics.type, body: await text.get() }) }],
    ['/events', { kind: 'stream', join: (response) => events.join(response) }],
    ['/vtep', { kind: 'answer', answer: paced((query) => json(explainVtep(agent.state, query))) }],
    ['/explain', { kind: 'answer', answer: paced(async (query) => json(await explainAddress(agent.state, query, sessions()))) }]
  ])
  const server = new HttpServer({ routes, policy: page.policy, log, close: () => events.close() })
  const { host } = address
  const port = await server.listen(address)
  log.info(`serving metrics and a page on ${host} port ${port}`)
  if (!isLoopback(host)) log.warn(`${host} is not loopback: whoever reaches port ${port} there can read what this chassis knows, without a password`)
  return server
}

function json(value: unknown): Answer {
  return { type: 'application/json', ...(value === undefined ? { status: 404, body: '{"problem":"There is no such thing any more."}' } : { body: JSON.stringify(value) }) }
}

/** Nobody clicks so often; whoever asks more often is told to wait. */
function paced(answer: (query: URLSearchParams) => Answer | Promise<Answer>): typeof answer {
  let [second, count] = [0, 0]
  return (query) => {
    const now = Math.floor(performance.now() / 1_000)
    if (now !== second) [second, count] = [now, 0]
    return ++count > ANSWERS_PER_SECOND ? { status: 429, type: 'application/json', body: '{"problem":"Too many questions; ask again in a second."}' } : answer(query)
  }
}

/** The counters of drops, as the switch told them last: one that is away, or does not answer, keeps nobody waiting. */
function lastDrops(agent: Agent): () => Promise<readonly DropReport[] | undefined> {
  let last: readonly DropReport[] | undefined
  const asked = new Cached(DROPS_AGE, async () => {
    last = await dropReports(agent.state, undefined)
  })
  return async () => {
    const timeout = AbortSignal.timeout(PATIENCE)
    await Promise.race([asked.get().catch(() => undefined), new Promise((resolve) => timeout.addEventListener('abort', resolve, { once: true }))])
    return last
  }
}
