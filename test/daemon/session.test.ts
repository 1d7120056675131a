// A session that stands and does its work, by the words for its state: the same for metrics, the page, doctor and explain.
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { judge } from '../../lib/cli/explain/judge.js'
import { examine } from '../../lib/cli/doctor/check.js'
import { SESSION_CHECKS } from '../../lib/cli/doctor/daemon.js'
import type { Facts } from '../../lib/cli/doctor/facts.js'
import { FAMILIES, type Numbers } from '../../lib/daemon/http/families.js'
import { isConnected } from '../../lib/daemon/report/session.js'
import { but, REMOTE } from '../cli/chains.js'

const [ofThePage = ''] = /^function isConnected\b[^]*?^}$/m.exec(readFileSync('assets/fabric.html', 'utf8')) ?? []
const up = FAMILIES.find(({ name }) => name === 'session_up')

for (const [openflow, isUp] of [
  ['connected to /run/openvswitch/br-int.mgmt', true],
  ['connected to /run/openvswitch/br-int.mgmt, but reading the switch failed: Error: closed; trying again', false],
  ['not connected: connecting', false],
  ['no bridge to connect to', false]
] as const) {
  await t.test(`${openflow}: ${isUp ? 'up' : 'down'}`, (t) => {
    t.equal(isConnected(openflow), isUp)
    const sessions = { ovsdb: 'connected to unix:/x', openflow, netlink: 'synced' }
    const samples = [...up?.read({ sessions } as unknown as Numbers) ?? []]
    t.strictSame(samples.find(([{ session }]) => session === 'openflow'), [{ session: 'openflow' }, Number(isUp)], 'ovs_evpn_session_up')
    t.equal(runInNewContext(`${ofThePage}; isConnected(${JSON.stringify(openflow)})`), isUp, 'the page')
    t.equal(judge(but(REMOTE, 'daemon', { openflow })).kind, isUp ? 'ok' : 'daemon_blind', 'explain')
    const found = examine(SESSION_CHECKS, { show: { ...sessions, problems: [] } } as unknown as Facts)
    // A bridge that is not there is a finding of its own.
    t.equal(found.length === 0, isUp || openflow.startsWith('no bridge'), 'doctor')
    t.end()
  })
}
