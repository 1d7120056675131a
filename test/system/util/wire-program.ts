// One interface at the level of frames, as a program to run in a network namespace: `wire-program DEVICE`. A line of hex on
// standard input is sent as it stands; a frame that comes in is a line of hex on standard output. First line: `ready`.
import { readSync, writeSync } from 'node:fs'
import { openPacketSocket, POLLIN, POLLOUT, receiveFrame, sendFrame, wait } from './packet-socket.js'

function main(device: string): void {
  const fd = openPacketSocket(device)
  const sendLines = senderOf(fd)
  print('ready\n')
  for (;;) {
    const [hasLines, hasFrames] = wait([[0, POLLIN], [fd, POLLIN]])
    // One at a time: whoever sends waits no longer than that.
    const frame = hasFrames === true ? receiveFrame(fd) : undefined
    if (frame !== undefined) print(frame.toString('hex') + '\n')
    if (hasLines === true && !sendLines()) return
  }
}

/** Writes all of the text: standard output may be a pipe that does not block. */
function print(text: string): void {
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      wait([[1, POLLOUT]])
    }
  }
}

/** Returns what reads standard input and sends its whole lines; false at its end. */
function senderOf(fd: number): () => boolean {
  const chunk = Buffer.alloc(65536)
  let rest = ''
  return () => {
    const length = readSync(0, chunk)
    const lines = (rest + chunk.toString('latin1', 0, length)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) sendFrame(fd, Buffer.from(line, 'hex'))
    return length > 0
  }
}

main(process.argv[2] ?? 'eth0')
