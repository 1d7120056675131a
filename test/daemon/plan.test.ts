// A plan is made in small pieces, between which the daemon follows the kernel; what changes meanwhile is no part of the plan.
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { plan } from '../../lib/daemon/plan/plan.js'
import { deriveSome, markAll } from '../../lib/daemon/tick.js'
import { NTF, NUD } from '../../lib/netlink/index.js'
import { settle } from '../walk/slips.js'
import { chassisOfVni100 } from '../walk/vni-100.js'

const MACS = 2_000
const { clock, chassis, kernel, row } = chassisOfVni100({ vm1: '02:00:00:00:00:01 10.0.0.1' })
const macRow = (n: number, dst: string) => ({
  ...row, lladdr: `02:10:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`, state: NUD.REACHABLE, flags: NTF.SELF | NTF.EXT_LEARNED, dst
})
for (let n = 0; n < MACS; n++) kernel.write({ op: 'replace', row: macRow(n, '192.0.2.1') }, 'speaker')
chassis.start()
await settle(chassis)
clock.uninstall()
const life = chassis.life
if (life === undefined) throw new Error('no agent')
const { state } = life.agent

/** The plan that takes the VNI away. */
async function planned() {
  const made = await plan(state, ['vm1:dynamic-routing-vni='])
  if (typeof made === 'string') throw new Error(made)
  return made.flows
}

const quiet = await planned()

await t.test('on a quiet chassis all flows of the VNI would go', (t) => {
  t.ok(quiet.removed > MACS, `${quiet.removed} flows`)
  t.strictSame([quiet.added, quiet.changed, quiet.meanwhile], [0, 0, 0])
  t.end()
})

await t.test('MACs that come, move and go while it is planned are followed at once, and are no part of it', async (t) => {
  // A slow machine: every look at the clock shows that the time of a piece is over.
  let now = performance.now()
  Object.defineProperty(performance, 'now', { value: () => now += 5, configurable: true })
  t.teardown(() => Reflect.deleteProperty(performance, 'now'))
  const planning = planned()
  let [isOver, turns] = [false, 0]
  const over = planning.finally(() => { isOver = true })
  const flowsOf = (dst: string) => [...state.macs.under(100).values()].filter(({ via }) => via.kind === 'vtep' && via.ip === dst).length
  for (; !isOver; turns++) {
    kernel.write({ op: 'replace', row: macRow(MACS + turns, '192.0.2.2') }, 'speaker')
    kernel.write({ op: 'replace', row: macRow(MACS - 1 - turns, '192.0.2.2') }, 'speaker')
    kernel.write({ op: 'delete', row: macRow(turns, '192.0.2.1') }, 'speaker')
    life.socket.deliver(1_000, undefined)
    await setImmediate()
    await setImmediate()
  }
  await over
  const flows = await planning
  t.ok(turns > 20, `${turns} times the kernel was listened to`)
  t.equal(flowsOf('192.0.2.2'), 2 * turns, 'all that came is derived')
  // Each turn takes one flow away and changes one; those that were taken into the copy before are told to have changed meanwhile.
  t.strictSame([flows.added, flows.changed], [0, 0])
  t.ok(flows.removed <= quiet.removed && flows.removed >= quiet.removed - 3 * turns, `${flows.removed} of ${quiet.removed} flows would go, after ${turns} turns`)
  t.ok(flows.meanwhile <= 3 * turns, `${flows.meanwhile} changed meanwhile`)
})

await t.test('all there is, derived anew in pieces, is what it was', (t) => {
  const before = [...state.switch.flows.differences()].length
  markAll(state)
  let pieces = 0
  for (; !state.dirty.isEmpty; pieces++) deriveSome(state, 50)
  t.ok(pieces > state.macs.under(100).size / 50, `${pieces} pieces`)
  t.equal([...state.switch.flows.differences()].length, before)
  t.end()
})
