// Everything of ours leaves a switch: for `exit --cleanup`, and for a bridge that is no longer the integration bridge.
import { encodeFlowMod, encodeGroupMod, encodeMeterMod, type GroupDesc, type Meter } from '../openflow/index.js'
import { COOKIE, COOKIE_MASK, isOurMeter } from '../pipeline/slots.js'
import { isOurs } from './group-entry.js'
import type { SwitchConnection } from './switch.js'

/** OFPTT_ALL: a deletion in every table (OpenFlow 1.5.1 section 7.2.3). */
const ALL_TABLES = 0xff

/** Removes all flows with our cookie, learned ones included, then all groups and meters of ours. */
export async function wipeSwitch(connection: SwitchConnection): Promise<void> {
  const groups = (await connection.groupDescs()).filter(isOurs)
  const hasMeters = (await connection.meterFeatures()).maxMeters > 0
  const meters = hasMeters ? (await connection.meters()).filter((meter) => isOurMeter(meter.meterId)) : []
  await connection.apply([deleteOurFlows(), ...groups.map(deleteGroup), ...meters.map(deleteMeter)], { bundle: false })
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

function deleteMeter(meter: Meter): Buffer {
  return encodeMeterMod({ command: 'delete', ...meter })
}
