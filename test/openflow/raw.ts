// A switch's bytes without the client: for what the client hides.
import { connect } from 'node:net'
import { encodeHello } from '../../lib/openflow/handshake.js'
import { encodeMessage, Framer, OFPT, type Message } from '../../lib/openflow/message.js'
import { encodeMultipart } from '../../lib/openflow/multipart.js'

/** The first reply to a multipart request. */
export async function askRaw(path: string, type: number, body: Buffer): Promise<Message> {
  const socket = connect(path)
  const framer = new Framer()
  try {
    return await new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('data', (chunk: Buffer) => {
        for (const message of framer.receive(chunk)) if (message.type === OFPT.multipart_reply) resolve(message)
      })
      socket.write(Buffer.concat([encodeHello(1), encodeMessage(OFPT.multipart_request, 2, encodeMultipart(type, body))]))
    })
  } finally {
    socket.destroy()
  }
}
