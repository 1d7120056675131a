// Stands between a client and a real server: records the conversation, cuts or freezes it, and can play an older server by
// answering `unknown method` as that one does.
import { createServer, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { JsonSplitter } from '../../lib/ovsdb/index.js'
import { temporaryDirectory } from './server.js'

export interface Message { readonly from: 'client' | 'server', readonly json: Record<string, unknown> }

export class Proxy {
  readonly remote: string
  readonly messages: Message[] = []
  readonly #target: string
  readonly #unknown: readonly string[]
  readonly #sockets = new Set<Socket>()
  #refuse = false
  #frozen = false

  constructor(path: string, target: string, unknown: readonly string[]) {
    this.remote = `unix:${path}`
    this.#target = target
    this.#unknown = unknown
  }

  /** Ends all connections and refuses new ones until resume(). */
  cut(): void {
    this.#refuse = true
    this.close()
  }

  resume(): void {
    this.#refuse = false
    this.#frozen = false
  }

  /** From now on nothing the server says arrives, and nothing is closed: a dead machine. */
  freeze(): void {
    this.#frozen = true
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  accept(client: Socket): void {
    if (this.#refuse) {
      client.destroy()
      return
    }
    const server = connect(this.#target)
    for (const [socket, other] of [[client, server], [server, client]] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
    this.#relay(client, (json) => {
      if (this.#unknown.includes(String(json['method']))) this.#answer(client, { error: 'unknown method', id: json['id'], result: null })
      else server.write(JSON.stringify(json))
    }, 'client')
    this.#relay(server, (json) => client.write(JSON.stringify(json)), 'server')
  }

  #answer(client: Socket, json: Record<string, unknown>): void {
    this.messages.push({ from: 'server', json })
    client.write(JSON.stringify(json))
  }

  #relay(socket: Socket, forward: (json: Record<string, unknown>) => void, from: Message['from']): void {
    const splitter = new JsonSplitter()
    socket.on('data', (bytes) => {
      for (const message of splitter.push(bytes)) {
        const json = message as Record<string, unknown>
        this.messages.push({ from, json })
        if (!(this.#frozen && from === 'server')) forward(json)
      }
    })
  }
}

/** A proxy in front of the server's unix socket; `unknown` methods are answered as by a server that does not have them. */
export async function startProxy(t: Test, target: string, unknown: readonly string[] = []): Promise<Proxy> {
  const path = join(temporaryDirectory(t), 'proxy.sock')
  const proxy = new Proxy(path, target, unknown)
  const listener = createServer((socket) => proxy.accept(socket))
  await new Promise<void>((resolve) => listener.listen(path, resolve))
  t.teardown(() => {
    proxy.close()
    listener.close()
  })
  return proxy
}
