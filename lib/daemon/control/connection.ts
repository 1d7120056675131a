// One client of the control socket. It is answered one request at a time; while it does not read its answers, nothing more is
// read from it, so a slow or hostile client costs a bounded amount of memory.
import type { Socket } from 'node:net'
import { type Command, type CommandTable, commandTable, ControlError, formatCommandList, listedCommands, runCommand } from './command.js'
import { endLine, formatError, formatReply, readRequest, type Request } from './request.js'
import type { LimitedLog } from '../log/limit.js'
import { JsonSplitter } from '../../ovsdb/index.js'

/** Bytes one request may have. The longest sensible one has a few dozen. */
export const MAX_REQUEST_BYTES = 1 << 20

export class Connection {
  readonly #socket: Socket
  readonly #commands: CommandTable
  readonly #log: LimitedLog
  readonly #splitter = new JsonSplitter(MAX_REQUEST_BYTES)
  /** How answers are given here; `set-options` (ovs-appctl 3.4 and later) changes it for this connection alone. */
  #format: 'text' | 'json' = 'text'
  #busy = false
  #closing = false

  constructor(socket: Socket, commands: readonly Command[], log: LimitedLog) {
    this.#socket = socket
    this.#log = log
    this.#commands = commandTable([...commands, this.#listCommands(), this.#setOptions()])
  }

  /** Serves the client until it leaves, sends something that is no request, or `close` is called. Never throws. */
  async serve(): Promise<void> {
    try {
      // Reading by iteration makes it one at a time: the next bytes are taken when these are answered.
      for await (const bytes of this.#socket as AsyncIterable<Buffer>) await this.#take(bytes)
      this.#socket.end()
    } catch {
      // The client broke the connection off.
      this.#socket.destroy()
    }
  }

  /** Ends the connection after the answer being given, or at once when there is none. */
  close(): void {
    this.#closing = true
    if (!this.#busy) this.#socket.destroy()
  }

  /** Ends the connection at once. */
  abort(): void {
    this.#socket.destroy()
  }

  async #take(bytes: Buffer): Promise<void> {
    try {
      for (const message of this.#splitter.push(bytes)) {
        if (this.#closing) return
        const request = readRequest(message)
        if (typeof request === 'string') return this.#refuse(request)
        await this.#answer(request)
      }
    } catch (error) {
      // The splitter throws: what follows in this stream makes no sense.
      this.#refuse(errorText(error))
    }
  }

  #refuse(what: string): void {
    this.#log.warn('request', `control connection closed: received ${what}`)
    this.#socket.destroy()
  }

  async #answer(request: Request): Promise<void> {
    this.#busy = true
    await this.#send(await this.#reply(request))
    this.#busy = false
    if (this.#closing) this.#socket.destroy()
  }

  async #reply({ id, method, params }: Request): Promise<string> {
    try {
      const text = endLine(await runCommand(this.#commands, method, params))
      return formatReply(id, this.#format === 'json' ? this.#document(method, text) : text)
    } catch (error) {
      const text = errorText(error)
      if (!(error instanceof ControlError)) this.#log.err(method, `control command ${method} failed: ${text}`)
      return formatError(id, text)
    }
  }

  /** What a client that asked for JSON gets: a document of its own for the list of commands, a wrapper around all other text. */
  #document(method: string, text: string): unknown {
    if (method !== 'list-commands') return { 'reply-format': 'plain', reply: text }
    return Object.fromEntries(listedCommands(this.#commands).map(({ name, usage }) => [name, usage]))
  }

  /** Done when the client's system has taken all of it, or the connection is gone. */
  async #send(reply: string): Promise<void> {
    await new Promise<void>(resolve => this.#socket.write(reply, () => resolve()))
  }

  #listCommands(): Command {
    return { name: 'list-commands', usage: '', min: 0, max: 0, run: () => formatCommandList(this.#commands) }
  }

  #setOptions(): Command {
    const run = (args: readonly string[]): string => {
      this.#format = parseFormat(args)
      return ''
    }
    return { name: 'set-options', usage: '[--format text|json]', min: 1, max: 2, run }
  }
}

function parseFormat(args: readonly string[]): 'text' | 'json' {
  const option = /^--?f(?:ormat)?(?:=(.*))?$/s.exec(args[0] ?? '')
  if (option === null) throw new ControlError(`invalid option "${args[0] ?? ''}", known is --format text|json`)
  const value = option[1] ?? args[1]
  if (value === undefined) throw new ControlError('option format needs a value: text or json')
  const format = value.toLowerCase()
  if (format === 'text' || format === 'json') return format
  throw new ControlError(`option format has invalid value ${value}`)
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
