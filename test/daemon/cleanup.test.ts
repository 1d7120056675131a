// exit --cleanup while the switch is still being filled.
import t from 'tap'
import type { Agent } from '../../lib/daemon/agent.js'
import { cleanUp } from '../../lib/daemon/cleanup.js'
import type { SwitchLink } from '../../lib/daemon/switch-link.js'
import { SwitchSink } from '../../lib/sink/switch.js'
import { wipeSwitch } from '../../lib/sink/wipe.js'
import { FakeSwitch } from '../sink/switch.js'
import { settle } from '../sink/time.js'

const FLOWS = 10_000

await t.test('a cleanup while batches are under way leaves no flow behind', async (t) => {
  const fake = new FakeSwitch()
  const sink = new SwitchSink({ info: () => undefined, warn: () => undefined })
  sink.setFlows('all', Array.from({ length: FLOWS }, (_, reg1) => ({ table: 202, priority: 300, match: { reg1 }, actions: [] })))
  await sink.connect(fake)
  let open = (): void => undefined
  fake.gate = new Promise((resolve) => (open = resolve))
  sink.flush()
  t.equal(fake.batches.length, 1, 'the first batch is under way, more are to come')
  const nothing = { removeAll: () => Promise.resolve() }
  const agent = { stop: () => undefined, state: { switch: sink, kernel: nothing, devices: nothing }, tunnels: nothing } as unknown as Agent
  const done = cleanUp(agent, { wipe: () => wipeSwitch(fake) } as SwitchLink)
  open()
  await done
  await settle()
  t.equal(fake.flows.size, 0, 'flows left on the bridge')
})
