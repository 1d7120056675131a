// Whose a kernel row is, said once, in flag words, for dumps and notifications alike.
// FDB rows carry no owner and their flags linger when a row moves (measured, design 4.1), so an FDB row of
// ours is one on an advertise device; a neighbour carries its writer in NDA_PROTOCOL.
import { NTF, NUD, type NeighRow } from '../netlink/index.js'

/** Our NDA_PROTOCOL value; packaging adds it to rt_protos.d. */
export const PROTOCOL_OVS_EVPN = 85

/** A vxlan device's row that a speaker wrote: EXT_LEARNED, or STICKY without it (how FRR writes sticky MACs). */
export function isRemoteMacRow(row: NeighRow): boolean {
  return (row.flags & (NTF.EXT_LEARNED | NTF.STICKY)) !== 0 && (row.dst !== undefined || row.nhId !== undefined)
}

/** A zero-MAC row that a speaker wrote: NOARP and PERMANENT together (NUD_* is a bitmask). */
export function isReplicationRow(row: NeighRow): boolean {
  const wanted = NUD.NOARP | NUD.PERMANENT
  return (row.state & wanted) === wanted && row.dst !== undefined
}

/** A remote IP on the bridge device: EXT_LEARNED and NOARP, and not written by us. */
export function isRemoteNeighbour(row: NeighRow): boolean {
  return (row.flags & NTF.EXT_LEARNED) !== 0 && (row.state & NUD.NOARP) !== 0 && row.lladdr !== undefined && !isOurNeighbour(row)
}

/** A neighbour we wrote. */
export function isOurNeighbour(row: NeighRow): boolean {
  return row.protocol === PROTOCOL_OVS_EVPN
}

/** A row on an advertise device that is ours to keep or delete; PERMANENT rows are the device's own address. */
export function isOurFdbRow(row: NeighRow): boolean {
  return (row.flags & NTF.SELF) === 0 && (row.state & NUD.PERMANENT) === 0
}
