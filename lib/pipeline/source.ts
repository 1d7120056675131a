// SOURCE: packets whose VNI is known, before anything is done for where they go. What no bridge forwards ends here.
import type { Mac } from '../net/mac.js'
import type { Vni } from '../net/number.js'
import type { Action } from '../openflow/index.js'
import { DROP, dropFor } from './drops.js'
import { goTo, type Flow } from './flow.js'
import { METER } from './meters.js'
import { FROM_TUNNEL } from './registers.js'
import { TABLE } from './tables.js'
import { toUs } from './userdata.js'

const PRIORITY = { NEVER: 1000, SPOOFED: 900, WITNESS: 800, ANY: 0 } as const

/** The usual way on. */
export const ONWARD = goTo(TABLE.SUPPRESS)

/** A group address as source, and the reserved group 01:80:c2:00:00:0x (IEEE 802.1Q 8.6.3); everything else goes on. */
export const SOURCE_FLOWS: readonly Flow[] = [
  { table: TABLE.SOURCE, priority: PRIORITY.NEVER, match: { eth_src: ['01:00:00:00:00:00', '01:00:00:00:00:00'] }, actions: dropFor(DROP.MULTICAST_SOURCE) },
  { table: TABLE.SOURCE, priority: PRIORITY.NEVER - 1, match: { eth_dst: ['01:80:c2:00:00:00', 'ff:ff:ff:ff:ff:f0'] }, actions: dropFor(DROP.RESERVED_DESTINATION) },
  { table: TABLE.SOURCE, priority: PRIORITY.ANY, match: {}, actions: [ONWARD] }
]

/**
 * A MAC that is bound to a port here and that we announce: nobody else has it, or the fabric would know. What comes out of a
 * tunnel with it as its source is forged, or went in a circle.
 */
export function spoofedSourceFlow(vni: Vni, mac: Mac): Flow {
  return {
    table: TABLE.SOURCE, priority: PRIORITY.SPOOFED, match: { metadata: vni, reg0: [FROM_TUNNEL, FROM_TUNNEL], eth_src: mac }, actions: dropFor(DROP.SPOOFED_SOURCE)
  }
}

/** A sign of life of a MAC that another chassis announces: a copy comes to us, the frame goes on as it would without (`onward`). */
export function witnessFlow(vni: Vni, mac: Mac, ofport: number, onward: readonly Action[]): Flow {
  return {
    table: TABLE.SOURCE, priority: PRIORITY.WITNESS, match: { metadata: vni, in_port: ofport, eth_src: mac },
    actions: [toUs('WITNESS', METER.WITNESS), ...onward]
  }
}
