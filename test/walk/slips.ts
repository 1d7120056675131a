// Time goes on in small steps of any kind, in any order: a message is read, a piece of a dump comes, a tick runs, a
// bundle is answered. And `settle`: everything goes on until nothing is left to happen.
import type { Chassis } from './chassis.js'
import type { Random } from './random.js'

type Slip = (chassis: Chassis, r: Random) => void | Promise<void>

/** The switch takes some requests, or the agent reads some answers. */
async function talk(chassis: Chassis, r: Random): Promise<void> {
  const connection = r.maybe(chassis.connections)
  for (let left = r.weighted([[3, 1], [2, 4], [2, 80]]); left > 0 && connection?.isIdle === false; left--) {
    if (r.chance(0.5)) connection.serve()
    else connection.deliver()
    await chassis.breathe()
  }
}

const SLIPS: readonly (readonly [weight: number, slip: Slip])[] = [
  [6, ({ life }, r) => life?.socket.deliver(r.weighted([[5, 1], [3, 3], [2, 50]]), r)],
  [4, ({ life }, r) => life?.socket.continueDump(r.weighted([[4, 1], [2, r.int(2, 6)], [1, 100]]))],
  [3, ({ life }, r) => life?.socket.work(r.int(1, 5))],
  [6, ({ clock }) => clock.runImmediates()],
  [3, ({ life }) => life?.session.update()],
  [2, ({ life }) => life?.session.work()],
  [1, ({ life }) => life?.session.connect()],
  [3, ({ vswitchd }, r) => void vswitchd.run(r)],
  [2, (chassis) => chassis.connect()],
  [8, talk],
  [1, ({ clock }, r) => clock.advance(r.pick([100, 1_000, 10_000]))]
]

/** One random step of time. */
export async function slip(chassis: Chassis, r: Random): Promise<void> {
  await r.weighted(SLIPS)(chassis, r)
  await chassis.breathe()
}

/** Some of everything that is on its way happens, in an order of its own. */
export async function slips(chassis: Chassis, r: Random, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await slip(chassis, r)
}

/** Longer than any pause of the code under test. */
const LONGEST_PAUSE = 400_000
const MAX_ROUNDS = 3_000

/** Everything that is on its way happens, and time passes until nothing is waited for. False when it never ends. */
export async function settle(chassis: Chassis): Promise<boolean> {
  const { clock } = chassis
  let quietSince = clock.now
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (await goOn(chassis)) {
      const { next } = clock
      if (next === undefined || next > quietSince + LONGEST_PAUSE) return true
      await clock.advance(next - clock.now)
    } else {
      quietSince = hasDoneSomething(chassis) ? clock.now : quietSince
    }
  }
  return false
}

/** Everything that is on its way happens, and `ms` pass; what waits for longer waits on. */
export async function settleFor(chassis: Chassis, ms: number): Promise<void> {
  const { clock } = chassis
  const end = clock.now + ms
  for (let round = 0; round < MAX_ROUNDS && clock.now < end; round++) {
    if (await goOn(chassis)) await clock.advance(Math.min(clock.next ?? end, end) - clock.now)
  }
}

const done = new WeakMap<Chassis, number>()

/** True when the agent changed anything since it was asked last. */
function hasDoneSomething(chassis: Chassis): boolean {
  const mods = [...chassis.vswitchd.switches.values()].reduce((sum, fake) => sum + fake.mods, 0)
  const sum = chassis.writes + chassis.database.transactions + mods
  const before = done.get(chassis)
  done.set(chassis, sum)
  return before !== sum
}

/** One round of everything. True when there was nothing to do. */
async function goOn(chassis: Chassis): Promise<boolean> {
  const { life, clock, vswitchd } = chassis
  let isQuiet = !vswitchd.run(undefined)
  if (life === undefined) return isQuiet
  const { socket, session } = life
  if (!session.isConnected || !session.isIdle) {
    isQuiet = false
    session.connect()
    session.update()
    session.work()
  }
  if (!socket.isIdle) {
    isQuiet = false
    socket.continueDump(1000)
    socket.work(1000)
    socket.deliver(1000, undefined)
  }
  if (chassis.canConnect) {
    isQuiet = false
    chassis.connect()
  }
  for (const connection of chassis.connections) {
    if (connection.isIdle) continue
    isQuiet = false
    while (connection.serve() || connection.deliver()) await chassis.breathe()
  }
  await chassis.breathe()
  if (clock.hasImmediates) {
    isQuiet = false
    await clock.runImmediates()
  }
  return isQuiet
}
