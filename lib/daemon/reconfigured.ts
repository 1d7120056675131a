// Waiting until ovs-vswitchd has carried out what the database says, the way ovs-vsctl does: ovs-vswitchd copies next_cfg
// to cur_cfg when it is done with a configuration (ovs-vswitchd.conf.db(5), Open_vSwitch table).
import type { Operation, OvsdbClient } from '../ovsdb/index.js'

/** Resolves when ovs-vswitchd has caught up; rejects with OvsdbError when the connection is lost before. */
export async function reconfigured(ovsdb: OvsdbClient): Promise<void> {
  const count: Operation = { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['next_cfg', '+=', 1]] }
  const read: Operation = { op: 'select', table: 'Open_vSwitch', where: [], columns: ['next_cfg'] }
  const [, answer] = await ovsdb.transact([count, read])
  const [row] = answer?.rows ?? []
  const wanted = (row as { readonly next_cfg?: number } | undefined)?.next_cfg
  if (wanted === undefined) return
  // The server answers when no row is left behind: there is one row.
  await ovsdb.transact([{ op: 'wait', table: 'Open_vSwitch', where: [['cur_cfg', '<', wanted]], columns: ['cur_cfg'], until: '==', rows: [] }])
}
