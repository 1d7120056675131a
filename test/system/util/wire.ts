// A host's interface at the level of frames: sends any frame, and keeps what comes in: test frames by name (see frame.ts), others as bytes.
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Lab } from '../../lab/lab.js'
import { Hopeless, waitFor } from '../../lab/wait.js'
import { decodeFrame, decodeVxlan, encodeFrame, type Frame, type VxlanPacket } from './frame.js'

const PROGRAM = fileURLToPath(new URL('./wire-program.js', import.meta.url))

/** A frame that came in: as it stands, or inside a VXLAN packet. */
export interface Arrival {
  readonly frame: Frame
  readonly vxlan: VxlanPacket | undefined
}

/** Any other frame that came in: as it stands, or what was inside a VXLAN packet. */
export interface Capture {
  readonly bytes: Buffer
  readonly vxlan: VxlanPacket | undefined
}

/** Other frames that are kept: hosts say a lot that no test asks for. */
const MAX_CAPTURES = 20_000

export class Wire {
  readonly host: string
  readonly #child: ChildProcess
  readonly #udpPorts: readonly number[]
  readonly #arrivals: Arrival[] = []
  readonly #captures: Capture[] = []
  #isReady = false
  #said = ''

  private constructor(lab: Lab, host: string, udpPorts: readonly number[], device: string) {
    this.host = host
    this.#udpPorts = udpPorts
    this.#child = lab.spawn(host, [process.execPath, PROGRAM, device], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.#said += text })
    if (this.#child.stdout === null) throw new Error('standard output of the wire is not a pipe')
    createInterface({ input: this.#child.stdout }).on('line', (line) => { this.#read(line) })
  }

  /** Attaches to a device of a host; VXLAN is what goes to one of the UDP ports. Returns when frames are seen. */
  static async open(lab: Lab, host: string, udpPorts: readonly number[] = [4789], device = 'eth0'): Promise<Wire> {
    const wire = new Wire(lab, host, udpPorts, device)
    await waitFor(`a packet socket on ${host}`, () => {
      if (wire.#child.exitCode !== null) throw new Hopeless(wire.#said)
      return wire.#isReady
    }, 10_000, 10)
    return wire
  }

  send(frame: Frame | Buffer): void {
    this.#child.stdin?.write((Buffer.isBuffer(frame) ? frame : encodeFrame(frame)).toString('hex') + '\n')
  }

  /** What came in by that name, oldest first. */
  arrivals(name: string): readonly Arrival[] {
    return this.#arrivals.filter(({ frame }) => frame.name === name)
  }

  /** Waits for so many frames of that name. */
  async waitFor(name: string, count = 1): Promise<readonly Arrival[]> {
    await waitFor(`${count} frame(s) '${name}' to arrive on ${this.host}`, () =>
      this.arrivals(name).length >= count || `${this.arrivals(name).length}; ${this.#said}`, 10_000, 10)
    return this.arrivals(name)
  }

  /** Frames that are no test frames and that `wanted` accepts, oldest first. */
  captures(wanted: (bytes: Buffer) => boolean): readonly Capture[] {
    return this.#captures.filter(({ bytes }) => wanted(bytes))
  }

  /** Waits for so many of them; `what` completes the sentence "waited for ...". */
  async waitForCapture(what: string, wanted: (bytes: Buffer) => boolean, count = 1): Promise<readonly Capture[]> {
    await waitFor(`${what} to arrive on ${this.host}`, () =>
      this.captures(wanted).length >= count || `${this.captures(wanted).length} of ${count}; ${this.#said}`, 10_000, 10)
    return this.captures(wanted)
  }

  #read(line: string): void {
    this.#isReady = true
    if (line === 'ready') return
    const bytes = Buffer.from(line, 'hex')
    const vxlan = decodeVxlan(bytes, this.#udpPorts)
    const frame = decodeFrame(vxlan?.inner ?? bytes)
    if (frame !== undefined) this.#arrivals.push({ frame, vxlan })
    else if (this.#captures.length < MAX_CAPTURES) this.#captures.push({ bytes: vxlan?.inner ?? bytes, vxlan })
  }
}
