// The text of /metrics: the families of families.ts, how long changes took, and the process itself (memory, event loop).
import { setImmediate } from 'node:timers/promises'
import { collectDefaultMetrics, Counter, Gauge, Registry, type Metric } from 'prom-client'
import { BOUNDS, CHANGES, type Latency } from '../../sink/latency.js'
import { HOLD } from '../stale/stale.js'
import { FAMILIES, type Family, type Numbers } from './families.js'

const PREFIX = 'ovs_evpn_'

/** Of prom-client's own: gauges with the names of counters. Nobody needs them here. */
const MISNAMED = ['nodejs_active_resources_total', 'nodejs_active_handles_total', 'nodejs_active_requests_total'] as const

/** Wakes of the timer that measures the event loop's lag: every so many ms. */
const LAG_STEP = 20

export class Metrics {
  readonly #registry = new Registry()
  readonly #read: () => Promise<Numbers>
  #numbers: Numbers | undefined

  /** `read` gets all that is asked for at one time. */
  constructor(read: () => Promise<Numbers>, latency: Latency) {
    this.#read = read
    for (const family of FAMILIES) this.#add(family)
    this.#registry.registerMetric(latencyMetric(latency))
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: LAG_STEP })
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name)
  }

  get type(): string {
    return this.#registry.contentType
  }

  /** One at a time, please: Cached sees to it. */
  async render(): Promise<string> {
    this.#numbers = await this.#read()
    let text = ''
    for (const { name } of this.#registry.getMetricsAsArray()) {
      text += `${await this.#registry.getSingleMetricAsString(name)}\n`
      // A thousand VNIs make thousands of lines; what waits meanwhile goes first.
      await setImmediate()
    }
    return text
  }

  #add({ kind, name, help, labels, read }: Family): void {
    const samples = () => (this.#numbers === undefined ? [] : read(this.#numbers))
    const options = { name: PREFIX + name, help, labelNames: [...labels], registers: [this.#registry] }
    if (kind === 'gauge') {
      new Gauge({ ...options, collect() { this.reset(); for (const [of, value] of samples()) this.set(of, value) } })
    } else {
      new Counter({ ...options, collect() { this.reset(); for (const [of, value] of samples()) this.inc(of, value) } })
    }
  }
}

/** prom-client's own histogram counts what it is given; ours has counted already, and is only shown. */
function latencyMetric(latency: Latency): Metric {
  const name = `${PREFIX}latency_seconds`
  const get = () => Promise.resolve({
    name, type: 'histogram', aggregator: 'sum', values: CHANGES.flatMap((change) => latencySamples(name, latency, change)),
    help: `From the kernel's message to the switch's answer that what follows from it is done, with the ${HOLD} ms for which a withdrawal is held first.`
  })
  return { name, get, getForPromString: get } as unknown as Metric
}

function latencySamples(name: string, latency: Latency, change: (typeof CHANGES)[number]) {
  const { counts, count, sum } = latency.distribution(change, BOUNDS)
  return [
    ...BOUNDS.map((le, i) => ({ metricName: `${name}_bucket`, labels: { le: String(le), change }, value: counts[i] ?? 0 })),
    { metricName: `${name}_bucket`, labels: { le: '+Inf', change }, value: count },
    { metricName: `${name}_sum`, labels: { change }, value: sum },
    { metricName: `${name}_count`, labels: { change }, value: count }
  ]
}
