// Server-sent events: whoever listens gets the state when it comes, and again when it has changed, once a second at most. Without
// listeners nothing is made.
import type { ServerResponse } from 'node:http'
import type { Answer } from './server.js'

/** Ms between two looks; looks without news after which a listener hears that we are there. */
const STEP = 1_000
const HEARTBEAT = 10

const MAX_LISTENERS = 8
/** Ms after which one too many asks again. */
const RETRY = 5_000
const EVENTS = 'text/event-stream'
/** Bytes that a listener may leave unread. */
const MAX_UNREAD = 4 << 20

export class Events {
  readonly #make: () => Promise<string>
  readonly #listeners = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | undefined
  #last: string | undefined
  #quiet = 0

  /** `make` gives one line of text. */
  constructor(make: () => Promise<string>) {
    this.#make = make
  }

  /** A refusal, or undefined: the response is ours. A browser shows no page the status of a refusal, and then asks no more: it is told by an event. */
  join(response: ServerResponse): Answer | undefined {
    if (this.#listeners.size >= MAX_LISTENERS) return { type: EVENTS, body: `retry: ${RETRY}\nevent: full\ndata: ${MAX_LISTENERS}\n\n` }
    response.writeHead(200, { 'Content-Type': EVENTS })
    this.#listeners.add(response)
    response.on('close', () => this.#leave(response))
    if (this.#last !== undefined) this.#send(response, `data: ${this.#last}\n\n`)
    this.#timer ??= setTimeout(() => void this.#look(), 0)
    return undefined
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const response of this.#listeners) response.end()
  }

  async #look(): Promise<void> {
    const text = await this.#make().catch(() => undefined)
    const isNews = text !== undefined && text !== this.#last
    this.#quiet = isNews ? 0 : this.#quiet + 1
    if (isNews) this.#last = text
    for (const response of this.#listeners) {
      if (isNews) this.#send(response, `data: ${text}\n\n`)
      else if (this.#quiet % HEARTBEAT === 0) this.#send(response, ':\n\n')
    }
    this.#timer = this.#listeners.size === 0 ? undefined : setTimeout(() => void this.#look(), STEP)
  }

  #send(response: ServerResponse, text: string): void {
    if (response.writableLength > MAX_UNREAD) response.destroy()
    else response.write(text)
  }

  #leave(response: ServerResponse): void {
    this.#listeners.delete(response)
    if (this.#listeners.size > 0) return
    // The next to come hears what is so then.
    this.#last = undefined
  }
}
