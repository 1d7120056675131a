// The keeper of the tunnel ports: one that somebody deletes is made again at once; who deletes it again and again is another
// program, and is answered after a pause.
import t from 'tap'
import type { TableView } from '../../lib/config/database.js'
import { createLog } from '../../lib/daemon/log/log.js'
import { TunnelKeeper } from '../../lib/daemon/tunnel-keeper.js'
import { database, uuid, view, type PortSpec, type Tables } from '../config/rows.js'
import { pass, settle, stopTime } from '../sink/time.js'

const BR_INT = uuid('bridge', 'br-int')
const PORT: PortSpec = {
  type: 'vxlan', portIds: { 'ovn-evpn-tunnel': 'true' }, options: { local_ip: 'flow', remote_ip: 'flow', key: 'flow', dst_port: '4789' }
}
const WITHOUT = database({ 'br-int': {} })
const WITH = database({ 'br-int': { ports: { 'ovn-evpn-4789': PORT } } })

/** A database in which every transaction makes the port. */
class Database {
  tables: Tables = WITHOUT
  transactions = 0
  readonly lines: string[] = []
  readonly keeper = new TunnelKeeper({
    table: (name) => view(this.tables)(name as Parameters<TableView>[0]),
    transact: () => {
      this.transactions++
      this.tables = WITH
      return Promise.resolve([])
    },
    reconfigured: () => Promise.resolve()
  }, createLog({ console: (line) => this.lines.push(line) }).module('ovsdb'))

  async change(tables: Tables): Promise<void> {
    this.tables = tables
    this.keeper.keep(BR_INT, [4789])
    await settle()
  }

  said(text: string): boolean {
    return this.lines.some((line) => line.includes(text))
  }
}

stopTime()

await t.test('a port that somebody deletes is made again at once, however long after it was made the same way', async (t) => {
  const made = new Database()
  await made.change(WITHOUT)
  t.equal(made.transactions, 1)
  await pass(3_600_000)
  await made.change(WITHOUT)
  t.equal(made.transactions, 2, 'without a pause')
  t.ok(made.said('somebody else changed our tunnel ports: port ovn-evpn-4789 is missing; it is put back'), 'and told')
  t.notOk(made.said('gone again'), 'as no fight')
})

await t.test('who deletes it within a minute is another program that manages it: it is made again after a pause, and that is said', async (t) => {
  const made = new Database()
  await made.change(WITHOUT)
  await pass(10_000)
  await made.change(WITHOUT)
  t.equal(made.transactions, 1, 'not at once')
  t.match(made.keeper.problem('ovn-evpn-4789'), /gone again; does another program manage these ports/)
  await pass(5_000)
  t.equal(made.transactions, 2, 'after 5 s')
  t.equal(made.keeper.problem('ovn-evpn-4789'), undefined)
})

await t.test('evpn-audit=report: what somebody did to a port is said, and left until the option says otherwise', async (t) => {
  const made = new Database()
  await made.change(WITHOUT)
  await pass(3_600_000)
  made.tables = WITHOUT
  made.keeper.keep(BR_INT, [4789], 'report')
  await settle()
  t.equal(made.transactions, 1, 'left')
  t.match(made.keeper.problem('ovn-evpn-4789'), /port ovn-evpn-4789 is missing; evpn-audit=report leaves it so/)
  await made.change(WITHOUT)
  t.equal(made.transactions, 2, 'put back')
  t.equal(made.keeper.problem('ovn-evpn-4789'), undefined)
})
