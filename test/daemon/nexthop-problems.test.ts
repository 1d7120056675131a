// A nexthop group that is larger than a group in the switch can be: said, and the others are not.
import t from 'tap'
import { nexthopLimits } from '../../lib/daemon/report/problems.js'
import { createState } from '../../lib/daemon/state.js'
import { KernelSink, rowTable } from '../../lib/sink/kernel.js'
import { SwitchSink } from '../../lib/sink/switch.js'
import { nexthop, nexthopGroup } from '../mirror/rows.js'

await t.test('a group of 300 members is a problem while a MAC is behind it, one of 256 is none', (t) => {
  const quiet = { info: () => undefined, warn: () => undefined }
  const sink = () => new KernelSink(rowTable({ write: () => Promise.resolve([]) }), () => undefined, () => undefined)
  const state = createState({ switch: new SwitchSink(quiet), kernel: sink(), devices: sink() }, () => new Map(), () => undefined)
  const ids = Array.from({ length: 300 }, (_, i) => 1000 + i)
  for (const id of ids) state.mirrors.nexthops.put(nexthop(id, `10.0.${id >> 8}.${id & 255}`))
  for (const [id, count] of [[10, 256], [11, 300], [12, 300]] as const) {
    state.mirrors.nexthops.put(nexthopGroup(id, ids.slice(0, count).map((member) => [member, 1])))
  }
  state.nexthopUsers.set(10, '', 1)
  state.nexthopUsers.set(12, '', 1)
  t.strictSame(nexthopLimits(state), [
    { severity: 'warning', record: 'nexthop 12', what: 'has 300 members; 256 are used, Open vSwitch has no more values of dp_hash' }
  ])
  t.end()
})
