// SNOOP: copies of what says who has which IP, for the daemon; the packet itself goes on as it would. SOURCE sends
// everything here in the VNIs that learn.
import type { Vni } from '../net/number.js'
import type { Match } from '../openflow/index.js'
import type { Flow } from './flow.js'
import { METER } from './meters.js'
import { ETH_ARP, ETH_IPV6, ICMPV6, NA } from './suppress.js'
import { TABLE } from './tables.js'
import { toUs } from './userdata.js'

const [ETH_IPV4, UDP] = [0x0800, 17]

/** What the hosts behind an `unknown` port say of themselves: ARP of any kind, Neighbor Advertisements. */
export function snoopPortFlows(vni: Vni, ofport: number): Flow[] {
  return [{ eth_type: ETH_ARP }, { eth_type: ETH_IPV6, nw_proto: ICMPV6, icmpv6_type: NA, icmpv6_code: 0 }]
    .map((match) => snoopFlow({ metadata: vni, in_port: ofport, ...match }))
}

/** What DHCP servers say to their clients, wherever they are. */
export function snoopServerFlow(vni: Vni): Flow {
  return snoopFlow({ metadata: vni, eth_type: ETH_IPV4, nw_proto: UDP, udp_src: 67, udp_dst: 68 })
}

function snoopFlow(match: Match): Flow {
  return { table: TABLE.SNOOP, priority: 100, match, actions: [toUs('SNOOP', METER.SNOOP)] }
}
