// SOURCE: packets whose VNI is known, before anything is done for where they go. What no bridge forwards ends here.
import { DROP, dropFor } from './drops.js'
import { goTo, type Flow } from './flow.js'
import { TABLE } from './tables.js'

const PRIORITY = { NEVER: 1000, ANY: 0 } as const

/** A group address as source, and the reserved group 01:80:c2:00:00:0x (IEEE 802.1Q 8.6.3); everything else goes on. */
export const SOURCE_FLOWS: readonly Flow[] = [
  { table: TABLE.SOURCE, priority: PRIORITY.NEVER, match: { eth_src: ['01:00:00:00:00:00', '01:00:00:00:00:00'] }, actions: dropFor(DROP.MULTICAST_SOURCE) },
  { table: TABLE.SOURCE, priority: PRIORITY.NEVER - 1, match: { eth_dst: ['01:80:c2:00:00:00', 'ff:ff:ff:ff:ff:f0'] }, actions: dropFor(DROP.RESERVED_DESTINATION) },
  { table: TABLE.SOURCE, priority: PRIORITY.ANY, match: {}, actions: [goTo(TABLE.FORWARD)] }
]
