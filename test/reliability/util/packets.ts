// 1,000 packets a second each way between two workloads while something happens. What was lost is told by their numbers.
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Lab } from '../../lab/lab.js'
import type { WorkloadSpec } from '../../lab/spec.js'
import { Hopeless, waitFor } from '../../lab/wait.js'
import type { Progress } from './packets-program.js'

const PROGRAM = fileURLToPath(new URL('./packets-program.js', import.meta.url))
/** Packets that must arrive each way before what happens, and after it. */
const PACKETS = 500
/** What has not arrived when its receiver has looked so often since nothing is sent any more is lost: two seconds, if nothing stalls. */
const LAST_REPORTS = 40

/** One way. `seconds`: how long it was sent for; `missing`: the number of the first packet that is. */
export interface Way { readonly name: string, readonly sent: number, readonly seconds: number, readonly lost: number, readonly twice: number, readonly missing: number }

class End {
  readonly name: string
  readonly #child: ChildProcess
  #said = ''
  /** How often it has said how far it is. */
  reports = 0
  #progress: Progress = { isSending: false, seconds: 0, sent: 0, received: 0, twice: 0, missing: 0 }

  constructor(lab: Lab, own: WorkloadSpec, peer: WorkloadSpec) {
    this.name = own.name
    this.#child = lab.spawn(own.name, [process.execPath, PROGRAM, 'eth0', own.mac, peer.mac], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.#said += text })
    if (this.#child.stdout === null) throw new Error('standard output of the packets is not a pipe')
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#progress = JSON.parse(line) as Progress
      this.reports++
    })
  }

  get progress(): Progress {
    if (this.#child.exitCode !== null) throw new Hopeless(this.#said)
    return this.#progress
  }

  /** Starts sending, or ends it. */
  toggle(): void {
    this.#child.stdin?.write('\n')
  }

  end(): void {
    this.#child.stdin?.end()
  }
}

/** Runs `happens` under 1,000 packets a second each way, from before it until packets have arrived after it. */
export async function underPackets(lab: Lab, a: WorkloadSpec, b: WorkloadSpec, happens: () => Promise<void>): Promise<readonly Way[]> {
  const ends = [new End(lab, a, b), new End(lab, b, a)] as const
  try {
    await waitFor('both ends to listen', () => ends.every(({ progress, reports }) => progress.sent === 0 && reports > 0), 20_000)
    for (const end of ends) end.toggle()
    await more(ends)
    await happens()
    await more(ends)
    return await finish(ends)
  } finally {
    for (const end of ends) end.end()
  }
}

/** A line for each way that lost something. */
export function lossesOf(ways: readonly Way[]): string[] {
  return ways.filter(({ lost, twice }) => lost + twice > 0)
    .map(({ name, sent, lost, twice, missing }) => `${name}: of ${sent} packets ${lost} lost, ${twice} arrived twice; the first that is missing is ${missing}`)
}

async function more(ends: readonly End[]): Promise<void> {
  const goals = ends.map((end) => ({ end, goal: end.progress.received + PACKETS }))
  await waitFor(`${PACKETS} more packets each way`, () =>
    goals.every(({ end, goal }) => end.progress.received >= goal) || goals.map(({ end, goal }) => `${end.name}: ${goal - end.progress.received} missing`).join(', '), 20_000)
}

/** Nothing is sent any more; what is under way gets the time it needs. */
async function finish([a, b]: readonly [End, End]): Promise<readonly Way[]> {
  for (const end of [a, b]) end.toggle()
  const ways = (): Way[] => ([[a, b], [b, a]] as const).map(([from, to]) => {
    const [{ sent, seconds }, { received, twice, missing }] = [from.progress, to.progress]
    return { name: `${from.name} > ${to.name}`, sent, seconds, lost: sent - received, twice, missing }
  })
  await waitFor('both to send no more', () => !a.progress.isSending && !b.progress.isSending, 20_000)
  const [ofA, ofB] = [a.reports, b.reports]
  await waitFor('the last packets', () =>
    ways().every(({ lost }) => lost === 0) || (a.reports > ofA + LAST_REPORTS && b.reports > ofB + LAST_REPORTS), 20_000)
  return ways()
}
