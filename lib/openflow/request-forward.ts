// What another connection did to a group or a meter, as the switch tells it (OFPT_REQUESTFORWARD, OpenFlow 1.5.1 section 7.4.6):
// the request itself follows the header. Our own requests are not told.
import { Cursor } from './decode.js'
import { OFPT } from './message.js'

/** OFPGC_DELETE and OFPMC_DELETE. */
const DELETE = 2

/** A group or meter that somebody else added, changed or deleted; of a deletion, `id` may be the one that means all of them. */
export interface RequestForward {
  readonly kind: 'group' | 'meter'
  readonly id: number
  readonly isDeletion: boolean
}

/** The body of an OFPT_REQUESTFORWARD message. Throws OpenFlowDecodeError for any other request in it. */
export function decodeRequestForward(body: Buffer): RequestForward {
  const cursor = new Cursor(body, 'requestforward')
  cursor.skip(1)
  const type = cursor.u8()
  if (type !== OFPT.group_mod && type !== OFPT.meter_mod) return cursor.fail(`a request of type ${type}`)
  // The rest of the header; the same place in both: command, then type or flags.
  cursor.skip(6)
  const isDeletion = cursor.u16() === DELETE
  cursor.skip(2)
  return { kind: type === OFPT.group_mod ? 'group' : 'meter', id: cursor.u32(), isDeletion }
}
