// The listener of --metrics: HTTP for reading, a handful of paths, and nothing that a client sends can change anything. What clients
// can cost is bounded: connections, headers, time.
import fs from 'node:fs'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import os from 'node:os'
import { isOurName, namesOfMachine, type ListenAddress } from './address.js'
import { limitLog, type LimitedLog } from '../log/limit.js'
import type { ModuleLog } from '../log/log.js'

export interface Answer {
  /** 200 by default. */
  readonly status?: number
  readonly type: string
  readonly body: string
}

/** A path: one answer for each request, or events for as long as the client listens. `isForAnyName`: whatever the client calls us. */
export type Route =
  | { readonly kind: 'answer', readonly isForAnyName?: true, readonly answer: (query: URLSearchParams) => Answer | Promise<Answer> }
  | { readonly kind: 'stream', readonly join: (response: ServerResponse) => Answer | undefined }

export interface HttpOptions {
  readonly routes: ReadonlyMap<string, Route>
  /** More of the Content-Security-Policy than "nothing". */
  readonly policy?: string
  readonly log: ModuleLog
  close?(): void
}

const LIMITS = { maxHeaderSize: 8_192, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 5_000 } as const
/** Clients at once, and ms without a byte to or from one. */
const MAX_CONNECTIONS = 32
const IDLE = 30_000

const TEXT = 'text/plain; charset=utf-8'

const WRONG_NAME = 'Ask by an address, by the machine\'s host name with or without its domain, or by the name given to --metrics; /metrics answers to any name.'

export class HttpServer {
  readonly #options: HttpOptions
  readonly #log: LimitedLog
  readonly #server: http.Server
  #names: ReadonlySet<string> = new Set()

  constructor(options: HttpOptions) {
    this.#options = options
    this.#log = limitLog(options.log)
    this.#server = http.createServer(LIMITS, (request, response) => void this.#serve(request, response))
    this.#server.maxConnections = MAX_CONNECTIONS
    this.#server.timeout = IDLE
  }

  /** Returns the port. Rejects with a sentence when nobody can listen there. */
  async listen({ host, port }: ListenAddress): Promise<number> {
    this.#names = new Set([host.toLowerCase(), ...namesOfMachine(os.hostname(), readText('/etc/hosts'), readText('/etc/resolv.conf'))])
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(new Error(`cannot serve metrics on ${host} port ${port}: ${error.message}; give another --metrics, or none`, { cause: error })))
      this.#server.listen({ host, port }, resolve)
    })
    this.#server.on('error', (error) => this.#log.warn('accept', `accept failed: ${error.message}`))
    const address = this.#server.address()
    return address === null || typeof address === 'string' ? port : address.port
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.#options.close?.()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    for (const [name, value] of Object.entries(this.#headers())) response.setHeader(name, value)
    const { method = '', url = '', headers: { host } } = request
    const at = url.indexOf('?')
    const route = this.#options.routes.get(at < 0 ? url : url.slice(0, at))
    const isForAnyName = route?.kind === 'answer' && route.isForAnyName === true
    if (!isForAnyName && !isOurName(host, this.#names)) return refuse(response, 421, WRONG_NAME)
    if (method !== 'GET') return refuse(response, 405, 'Everything here is for reading: GET only.')
    if (route === undefined) return refuse(response, 404, `There are ${[...this.#options.routes.keys()].join(', ')}.`)
    try {
      const answer = route.kind === 'stream' ? route.join(response) : await route.answer(new URLSearchParams(at < 0 ? '' : url.slice(at)))
      if (answer !== undefined) send(response, answer)
    } catch (error) {
      this.#log.err('answer', `GET ${url.slice(0, 200)} failed: ${error instanceof Error ? error.stack ?? error.message : String(error)}`)
      refuse(response, 500, 'This failed; the log says why.')
    }
  }

  #headers(): Record<string, string> {
    const { policy } = this.#options
    return {
      'Cache-Control': 'no-store',
      'Content-Security-Policy': `default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'${policy === undefined ? '' : `; ${policy}`}`,
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff'
    }
  }
}

/** What was refused may have a body that nobody reads: its connection ends. */
function refuse(response: ServerResponse, status: number, why: string): void {
  if (response.headersSent) return void response.destroy()
  if (status === 405) response.setHeader('Allow', 'GET')
  response.setHeader('Connection', 'close')
  send(response, { status, type: TEXT, body: `${why}\n` })
}

function send(response: ServerResponse, { status = 200, type, body }: Answer): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body)
}

/** '' when it cannot be read. */
function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
