// Everything of ours leaves a switch: for `exit --cleanup`, and for a bridge that is no longer the integration bridge.
import { encodeFlowMod, encodeGroupMod, type GroupDesc } from '../openflow/index.js'
import { COOKIE, COOKIE_MASK } from '../pipeline/slots.js'
import { isOurs } from './group-entry.js'
import type { SwitchConnection } from './switch.js'

/** OFPTT_ALL: a deletion in every table (OpenFlow 1.5.1 section 7.2.3). */
const ALL_TABLES = 0xff

/** Removes all flows with our cookie, then all groups of ours. */
export async function wipeSwitch(connection: SwitchConnection): Promise<void> {
  const groups = (await connection.groupDescs()).filter(isOurs)
  await connection.apply([deleteOurFlows(), ...groups.map(deleteGroup)], { bundle: false })
}

function deleteOurFlows(): Buffer {
  return encodeFlowMod({
    command: 'delete', tableId: ALL_TABLES, priority: 0, cookie: COOKIE, cookieMask: COOKIE_MASK,
    match: Buffer.alloc(0), instructions: Buffer.alloc(0)
  })
}

function deleteGroup(group: GroupDesc): Buffer {
  return encodeGroupMod({ command: 'delete', type: group.type, groupId: group.groupId, buckets: [] })
}
