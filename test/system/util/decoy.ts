// Listens where a daemon should and hangs up on everybody who says something: shows from outside how often somebody tries.
import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { eventually } from './eventually.js'

export class Decoy {
  readonly #server: Server
  readonly #path: string
  #attempts = 0

  private constructor(path: string) {
    this.#path = path
    this.#server = createServer((socket) => {
      this.#attempts++
      socket.on('error', () => undefined)
      // Hanging up with words unread would be another error each time, depending on who is faster.
      socket.once('data', () => socket.end())
    })
  }

  /** Listens on a unix socket. */
  static async listen(path: string): Promise<Decoy> {
    const decoy = new Decoy(path)
    decoy.#server.listen(path)
    await once(decoy.#server, 'listening')
    return decoy
  }

  /** Waits until somebody has tried so often. */
  async tried(times: number): Promise<void> {
    await eventually(`${times} attempts to connect to ${this.#path}`, () => this.#attempts, (attempts) => attempts >= times)
  }

  /** Stops listening; the socket is gone. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }
}
