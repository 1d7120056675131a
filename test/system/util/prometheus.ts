// A real Prometheus on a host of the lab, on loopback, that scrapes one target every second and evaluates rules.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Lab } from '../../lab/lab.js'
import { Hopeless, waitFor } from '../../lab/wait.js'
import { fetchAll } from './fetch.js'

/** As /api/v1/rules has it. */
export interface Rule {
  readonly name: string
  readonly query: string
  readonly health: string
  readonly lastError?: string
  /** inactive, pending, firing. */
  readonly state: string
}

/** Labels and value of one series at one time. */
export interface Point { readonly metric: Readonly<Record<string, string>>, readonly value: number }

const API = 'http://127.0.0.1:9090'

export class Prometheus {
  readonly #lab: Lab
  readonly #host: string

  private constructor(lab: Lab, host: string) {
    this.#lab = lab
    this.#host = host
  }

  /** `target`: address and port to scrape, as job `ovs-evpn`. `rules`: a file. Returns when it answers. */
  static async start(lab: Lab, host: string, target: string, rules: string): Promise<Prometheus> {
    const dir = path.join(lab.host(host).dir, 'prometheus')
    mkdirSync(dir, { recursive: true })
    const config = path.join(dir, 'prometheus.yml')
    writeFileSync(config, `
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: ['${path.resolve(rules)}']
scrape_configs: [{job_name: ovs-evpn, static_configs: [{targets: ['${target}']}]}]
`)
    const child = lab.spawn(host, ['prometheus', `--config.file=${config}`, `--storage.tsdb.path=${dir}/data`, '--web.listen-address=127.0.0.1:9090', '--log.level=warn'],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { GOMAXPROCS: '1' } })
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { said += text })
    await waitFor('Prometheus to answer', async () => {
      if (child.exitCode !== null) throw new Hopeless(said)
      const [ready] = await fetchAll(lab, host, [`${API}/-/ready`])
      return ready?.status === 200 || `${ready?.body} ${said}`
    }, 60_000, 200)
    return new Prometheus(lab, host)
  }

  /** What each expression gives now. Throws for one that Prometheus refuses. */
  async query(expressions: readonly string[]): Promise<Point[][]> {
    const answers = await this.#get<{ readonly result: readonly { readonly metric: Record<string, string>, readonly value: readonly [number, string] }[] }>(
      expressions.map((expression) => `/api/v1/query?query=${encodeURIComponent(expression)}`))
    return answers.map(({ result }) => result.map(({ metric, value }) => ({ metric, value: Number(value[1]) })))
  }

  async rules(): Promise<readonly Rule[]> {
    const [answer] = await this.#get<{ readonly groups: readonly { readonly rules: readonly Rule[] }[] }>(['/api/v1/rules'])
    return answer?.groups.flatMap(({ rules }) => rules) ?? []
  }

  async #get<T>(paths: readonly string[]): Promise<T[]> {
    return (await fetchAll(this.#lab, this.#host, paths.map((at) => API + at))).map(({ status, body }, i) => {
      if (status !== 200) throw new Error(`Prometheus answers ${paths[i]} with ${status}: ${body}`)
      return (JSON.parse(body) as { readonly data: T }).data
    })
  }
}
