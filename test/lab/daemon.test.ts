// Starting our daemon in the lab: found by the stock ovs-appctl, ended and started again, gone with the lab.
import t from 'tap'
import { Lab } from './lab.js'
import { leftovers } from './leftovers.js'

const lab = await Lab.up({ chassis: 1, linux: 0, frr: false })
t.teardown(() => lab.down())

await t.test('the daemon answers on its control socket, by path and by pidfile', async (t) => {
  const daemon = await lab.startDaemon('c1')
  t.match(await daemon.appctl('version'), /^ovs-evpnd \(ovs-evpn\) \d+\.\d+\.\d+\n/)
  t.match(await lab.exec('c1', ['ovs-appctl', '-t', 'ovs-evpnd', 'version']), { stdout: /^ovs-evpnd / })
  await t.rejects(daemon.appctl('evpn/nonsense'), { message: /not a valid command/ })
  t.same(await daemon.stop(), { code: 0, signal: null })
  t.match(daemon.log(), /\|INFO\|/)
})

await t.test('the daemon can be killed and started again', async (t) => {
  const daemon = await lab.startDaemon('c1')
  t.same(await daemon.stop('SIGKILL'), { code: null, signal: 'SIGKILL' })
  const next = await lab.startDaemon('c1')
  t.not(next.pid, daemon.pid)
})

await t.test('a daemon that does not start is an error with what it said', async (t) => {
  await t.rejects(lab.startDaemon('c1', ['--no-such-option']), { message: /ovs-evpnd on c1.*no-such-option/s })
})

await t.test('a daemon still running goes down with the lab', async (t) => {
  await lab.down()
  t.same(leftovers(lab.id), [])
})
