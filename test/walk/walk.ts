// One walk: a random world, an agent on it, random steps with time passing in any order between them, and at the end
// everything that must be true. The same seed is the same walk; steps can be left out without changing the others.
import { PART_CAPACITY } from '../../lib/evpn/flood.js'
import { Chassis } from './chassis.js'
import { Clock } from './clock.js'
import { checkEnd, checkNow } from './end.js'
import { addPort, BUILD_DATABASE, CHANGE_DATABASE, setLearning, setSystem } from './operations/database.js'
import { BUILD_DEVICES, CHANGE_DEVICES, createDevicesOf, resetDeviceMacs } from './operations/devices.js'
import { INTERFERENCE } from './operations/interference.js'
import { LIFE } from './operations/life.js'
import { announceMultihomed, buildNexthops, NEXTHOP_ROWS, SHRINK_NEXTHOPS } from './operations/nexthops.js'
import type { Operation, Weighted } from './operations/operation.js'
import { PACKETS } from './operations/packets.js'
import { announceMany, OTHERS_ROWS, SHRINK, SPEAKER } from './operations/rows.js'
import { CHANGE_SWITCHES } from './operations/switches.js'
import { VNIS } from './pools.js'
import { Random, stepSeed } from './random.js'
import { slips } from './slips.js'

export interface WalkResult {
  readonly seed: number
  /** What was done, in words, a line each. */
  readonly steps: readonly string[]
  /** What was wrong; empty = all as it must be. */
  readonly failures: readonly string[]
  readonly log: readonly string[]
}

/** A chassis as one finds it: mostly in order. */
const FIRST: readonly Operation[] = [
  ...VNIS.map((vni): Operation => (chassis, r) => (r.chance(0.85) ? createDevicesOf(vni, chassis, r) : undefined)),
  addPort, addPort, addPort, addPort, setSystem, setLearning, buildNexthops, announceMultihomed, announceMultihomed, announceMany, announceMany, announceMany, announceMany
]
const BUILD_STEPS = FIRST.length + 12
const CHANGE_STEPS = 60

export const STEPS = BUILD_STEPS + CHANGE_STEPS

const BUILD: Weighted = mix([[3, BUILD_DEVICES], [4, SPEAKER], [2, NEXTHOP_ROWS], [4, BUILD_DATABASE], [1, OTHERS_ROWS]])
const CHANGE: Weighted = mix([
  [4, CHANGE_DEVICES], [7, SPEAKER], [6, NEXTHOP_ROWS], [7, CHANGE_DATABASE], [2, OTHERS_ROWS], [3, CHANGE_SWITCHES], [2, INTERFERENCE], [3, LIFE], [9, PACKETS]
])

const SHRINKING: Weighted = [...SHRINK, ...SHRINK_NEXTHOPS]

const WHOLE = { ...PART_CAPACITY }

/** Walks by one seed; `left` names steps that are left out. */
export async function walk(seed: number, left: ReadonlySet<number> = new Set()): Promise<WalkResult> {
  const clock = new Clock()
  const steps: string[] = []
  clock.install()
  // In one walk of four a flood has several parts.
  if ((seed & 3) === 0) Object.assign(PART_CAPACITY, { v4: 2, v6: 2, local: 2 })
  try {
    resetDeviceMacs()
    const chassis = new Chassis(clock)
    // In one of eight the routing daemon is watched, which costs a look a second.
    if ((seed & 7) === 5) chassis.speaker = { isAlive: true }
    const failures = await steer(chassis, seed, left, steps)
    return { seed, steps, failures, log: chassis.logLines }
  } finally {
    clock.uninstall()
    Object.assign(PART_CAPACITY, WHOLE)
  }
}

async function steer(chassis: Chassis, seed: number, left: ReadonlySet<number>, steps: string[]): Promise<string[]> {
  chassis.database.addBridge('br-int')
  for (let i = 0; i < STEPS; i++) {
    const r = new Random(stepSeed(seed, i))
    const isBuilding = i < BUILD_STEPS
    if (i === BUILD_STEPS) chassis.start()
    if (left.has(i)) continue
    // What changes under a dump is what a dump can miss.
    const list = isBuilding ? BUILD : chassis.life?.socket.isDumping === true && r.chance(0.4) ? SHRINKING : CHANGE
    const text = await (FIRST[i] ?? r.weighted<Operation>(list))(chassis, r)
    if (text !== undefined) steps.push(`${i}: ${text}`)
    if (!isBuilding) await slips(chassis, r, r.weighted([[3, 0], [4, r.int(1, 5)], [2, r.int(5, 30)]]))
    if (chassis.violations.length > 0) return [...chassis.violations]
    if (!isBuilding && r.chance(0.06)) {
      steps.push(`${i}: all is quiet for a while`)
      const failures = await checkNow(chassis, r)
      if (failures.length > 0) return failures
    }
  }
  return await checkEnd(chassis, new Random(stepSeed(seed, STEPS)))
}

/** One list out of several, each with its share. */
function mix(lists: readonly (readonly [share: number, list: Weighted])[]): Weighted {
  return lists.flatMap(([share, list]) => {
    const sum = list.reduce((total, [weight]) => total + weight, 0)
    return list.map(([weight, operation]) => [share * weight / sum, operation] as const)
  })
}
