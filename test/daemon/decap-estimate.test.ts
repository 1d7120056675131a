// evpn-decap strict with many VTEPs in many VNIs: what it costs is said before the flows are sent, and once.
import t from 'tap'
import { settle } from '../walk/slips.js'
import { chassisOfVni100 } from '../walk/vni-100.js'
import { NTF, NUD } from '../../lib/netlink/index.js'
import { ZERO_MAC } from '../../lib/net/mac.js'
import { decapEstimate } from '../../lib/daemon/refresh/index.js'
import { EMPTY_DATABASE } from '../../lib/daemon/state.js'

await t.test('the estimate: round numbers, in steps, with what to do', (t) => {
  const of = (decapFlows: number) => decapEstimate({ decapFlows, database: EMPTY_DATABASE })
  t.equal(of(49_999), undefined)
  t.match(of(50_000), /up to 50000 flows/)
  t.equal(of(50_001), of(100_000), 'a VTEP more is no news')
  t.match(of(99_999), /up to 100000 flows/, 'rounded up')
  t.match(of(512_000), /up to 550000 flows.*about 660 MB in ovs-vswitchd, and 7\.0 s to load.*ovs-vsctl set Bridge br-int external_ids:evpn-decap=member$/)
  t.end()
})

await t.test('said before the flows are sent, and no longer with evpn-decap=member', async (t) => {
  const { clock, chassis, kernel, row: common } = chassisOfVni100({ vm1: '' })
  t.teardown(() => clock.uninstall())
  const { database } = chassis
  const row = { ...common, state: NUD.NOARP | NUD.PERMANENT, flags: NTF.SELF, lladdr: ZERO_MAC }
  for (const dst of ['192.0.2.1', '192.0.2.2']) kernel.write({ op: 'append', row: { ...row, dst } }, 'speaker')
  chassis.start()
  // So many are known already.
  if (chassis.life !== undefined) chassis.life.agent.state.decapFlows = 49_998
  const problems = () => [...chassis.life?.agent.notices.standing.keys() ?? []].filter((text) => text.includes('evpn-decap'))
  let sentBefore = -1
  for (let i = 0; i < 1000 && problems().length === 0; i++) {
    chassis.life?.socket.continueDump(1000)
    chassis.life?.socket.deliver(1000, undefined)
    chassis.life?.session.connect()
    chassis.life?.session.update()
    chassis.life?.session.work()
    await chassis.breathe()
    await clock.runImmediates()
    sentBefore = [...chassis.vswitchd.switches.values()].reduce((sum, { mods }) => sum + mods, 0)
  }
  t.match(problems(), [/up to 50000 flows/])
  t.equal(sentBefore, 0, 'before anything was sent')
  await settle(chassis)
  t.equal(chassis.logLines.filter((line) => line.includes('up to 50000 flows')).length, 1, 'logged once')
  kernel.write({ op: 'delete', row: { ...row, dst: '192.0.2.2' } }, 'speaker')
  await settle(chassis)
  t.same(problems(), [], 'fewer again')
  kernel.write({ op: 'append', row: { ...row, dst: '192.0.2.2' } }, 'speaker')
  await settle(chassis)
  t.match(problems(), [/up to 50000 flows/])
  database.setKey('Bridge', database.find('Bridge', 'br-int') ?? '', 'evpn-decap', 'member')
  await settle(chassis)
  t.same(problems(), [])
})
