// One end of a stream of numbered frames, as a program to run in a network namespace: `packets-program DEVICE MAC PEER`. Sends
// 1,000 frames a second to the peer, from the first line on standard input to the second, and notes which of the peer's came in; a
// line of JSON on standard output says how far it is, twenty times a second. It ends with its standard input.
import { readSync, writeSync } from 'node:fs'
import { openPacketSocket, POLLIN, receiveFrame, sendFrame, wait } from '../../system/util/packet-socket.js'

export interface Progress {
  readonly isSending: boolean
  /** How long it has been sending, those times included in which it was stalled. */
  readonly seconds: number
  readonly sent: number
  /** Of the peer's: how many came in, how many of them more than once, and the first that is missing. */
  readonly received: number
  readonly twice: number
  readonly missing: number
}

const RATE = 1000
/** Whoever was stalled for longer than this, in ms, does not make up for it: a burst would test other things. */
const MAX_BEHIND = 50
const REPORT_MS = 50
/** An EtherType for experiments (IEEE 802): no host answers. */
const ETHER_TYPE = 0x88b6
const FRAME_BYTES = 100

/** The next frame of the stream each time. */
function framesTo(mac: string, peer: string): () => Buffer {
  const frame = Buffer.alloc(FRAME_BYTES)
  frame.write(peer.replaceAll(':', '') + mac.replaceAll(':', ''), 'hex')
  frame.writeUInt16BE(ETHER_TYPE, 12)
  let sequence = 0
  return () => {
    frame.writeUInt32BE(sequence++, 14)
    return frame
  }
}

class Arrivals {
  readonly #seen = new Set<number>()
  twice = 0
  missing = 0

  get received(): number {
    return this.#seen.size
  }

  put(sequence: number): void {
    if (this.#seen.has(sequence)) this.twice++
    this.#seen.add(sequence)
    while (this.#seen.has(this.missing)) this.missing++
  }
}

function main([device = '', mac = '', peer = '']: readonly string[]): void {
  const fd = openPacketSocket(device)
  const next = framesTo(mac, peer)
  const source = peer.replaceAll(':', '')
  const arrivals = new Arrivals()
  let [due, report, sent, isSending, start, before] = [0, 0, 0, false, 0, 0]
  for (;;) {
    const now = performance.now()
    for (due = Math.max(due, now - MAX_BEHIND); isSending && due <= now; due += 1000 / RATE, sent++) sendFrame(fd, next())
    for (let frame = receiveFrame(fd); frame !== undefined; frame = receiveFrame(fd)) {
      if (frame.readUInt16BE(12) === ETHER_TYPE && frame.toString('hex', 6, 12) === source) arrivals.put(frame.readUInt32BE(14))
    }
    if (now >= report) {
      const { received, twice, missing } = arrivals
      const seconds = (before + (isSending ? now - start : 0)) / 1000
      writeSync(1, JSON.stringify({ isSending, seconds, sent, received, twice, missing } satisfies Progress) + '\n')
      report = now + REPORT_MS
    }
    // Not for a frame: several at a time cost less.
    if (wait([[0, POLLIN]], 5)[0] !== true) continue
    if (readSync(0, Buffer.alloc(64)) === 0) return
    isSending = !isSending
    due = performance.now()
    if (isSending) start = due
    else before += due - start
  }
}

main(process.argv.slice(2))
