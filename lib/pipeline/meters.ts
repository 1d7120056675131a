// The meters, declared once: what each limits, and how much. Ids are FIRST_METER plus a small number that is never used for
// something else. Rates are packets per second, for the whole switch.
import type { Meter } from '../openflow/index.js'
import { FIRST_METER } from './slots.js'

export const METER = {
  /** Copies of ARP, NA and DHCP packets of `unknown` ports, for their IPs. */
  SNOOP: FIRST_METER + 1,
  /** Requests of ARP and ND that are answered: each answer is made in ovs-vswitchd, not in the datapath. */
  ANSWER: FIRST_METER + 2,
  /** Copies of frames from bound MACs that another chassis announces: one of each MAC is enough, and ends it. */
  WITNESS: FIRST_METER + 3
} as const

export const METERS: readonly Meter[] = [
  { meterId: METER.SNOOP, unit: 'pktps', rate: 200, burst: 200 },
  { meterId: METER.ANSWER, unit: 'pktps', rate: 2000, burst: 2000 },
  { meterId: METER.WITNESS, unit: 'pktps', rate: 500, burst: 500 }
]
