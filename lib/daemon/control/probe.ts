// Whether anybody is behind a socket file. The file alone says nothing: it outlives the process that made it.
import net from 'node:net'

/** Bytes the path of a socket may have (sun_path of unix(7), less the final NUL). Node cuts a longer one off without a word. */
const MAX_SOCKET_PATH = 107

/** Throws for a path that is too long to be a socket's. */
export function checkSocketPath(path: string): void {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) throw new Error(`the path of a socket has at most ${MAX_SOCKET_PATH} bytes`)
}

/** `answered`: connections are accepted; `denied`: not from us; `dead`: by nobody, or there is no such file. */
export type Probe = 'answered' | 'denied' | 'dead'

/** Connects to a socket file and leaves at once. Never rejects. */
export async function probeSocket(path: string): Promise<Probe> {
  return await new Promise(resolve => {
    const socket = net.connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve('answered')
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EACCES' || error.code === 'EPERM' ? 'denied' : 'dead'))
  })
}
