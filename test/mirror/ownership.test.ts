// Whose a kernel row is: each rule as flag words, with the rows that FRR, the kernel and we ourselves write.
import t from 'tap'
import { isOurFdbRow, isOurNeighbour, isRemoteMacRow, isRemoteNeighbour, isReplicationRow, PROTOCOL_OVS_EVPN } from '../../lib/mirror/ownership.js'
import { NTF, NUD, type NeighRow } from '../../lib/netlink/index.js'
import { neighbour, onPort, remoteMac, replica } from './rows.js'

const MAC = '02:00:00:00:00:01'
const { dst: _, ...behindNexthop } = remoteMac(2, MAC, '192.0.2.1', { nhId: 7 })
const { lladdr: __, ...withoutMac } = neighbour(5, '10.0.0.1', MAC)

const RULES: readonly { readonly is: (row: NeighRow) => boolean, readonly yes: Record<string, NeighRow>, readonly no: Record<string, NeighRow> }[] = [
  {
    is: isRemoteMacRow,
    yes: {
      'what FRR writes: EXT_LEARNED': remoteMac(2, MAC, '192.0.2.1'),
      'a sticky MAC: STICKY without EXT_LEARNED': remoteMac(2, MAC, '192.0.2.1', { flags: NTF.SELF | NTF.STICKY }),
      'a MAC behind a nexthop group': behindNexthop
    },
    no: {
      'learned by the vxlan device from packets': remoteMac(2, MAC, '192.0.2.1', { flags: NTF.SELF, state: NUD.REACHABLE }),
      'written by hand, without EXT_LEARNED': remoteMac(2, MAC, '192.0.2.1', { flags: NTF.SELF, state: NUD.NOARP | NUD.PERMANENT }),
      'EXT_LEARNED that leads nowhere': onPort(1, 2, MAC, { flags: NTF.EXT_LEARNED })
    }
  },
  {
    is: isReplicationRow,
    yes: { 'NOARP|PERMANENT': replica(2, '192.0.2.1'), 'more bits besides': replica(2, '192.0.2.1', { state: NUD.NOARP | NUD.PERMANENT | NUD.STALE }) },
    no: {
      'PERMANENT alone': replica(2, '192.0.2.1', { state: NUD.PERMANENT }),
      'NOARP alone': replica(2, '192.0.2.1', { state: NUD.NOARP }),
      learned: replica(2, '192.0.2.1', { state: NUD.REACHABLE })
    }
  },
  {
    is: isRemoteNeighbour,
    yes: {
      'what FRR writes': neighbour(5, '10.0.0.1', MAC),
      'a router': neighbour(5, '10.0.0.1', MAC, { flags: NTF.EXT_LEARNED | NTF.ROUTER })
    },
    no: {
      'resolved by the kernel': neighbour(5, '10.0.0.1', MAC, { flags: 0, state: NUD.REACHABLE }),
      'EXT_LEARNED that the kernel probes': neighbour(5, '10.0.0.1', MAC, { state: NUD.REACHABLE }),
      'without a MAC': withoutMac,
      'ours, whatever flags lingered': neighbour(5, '10.0.0.1', MAC, { protocol: PROTOCOL_OVS_EVPN })
    }
  },
  {
    is: isOurNeighbour,
    yes: { 'protocol 85': neighbour(5, '10.0.0.1', MAC, { protocol: 85, flags: 0 }) },
    no: { zebra: neighbour(5, '10.0.0.1', MAC, { protocol: 11 }), 'no protocol': neighbour(5, '10.0.0.1', MAC, { protocol: 0 }) }
  },
  {
    is: isOurFdbRow,
    yes: {
      'our static row': onPort(1, 4, MAC, { state: NUD.NOARP }),
      'our static row with flags lingering from a remote claim': onPort(1, 4, MAC, { state: NUD.NOARP, flags: NTF.EXT_LEARNED }),
      'learned on our device': onPort(1, 4, MAC)
    },
    no: {
      "the device's own address": onPort(1, 4, MAC, { state: NUD.PERMANENT }),
      "the device's own table": onPort(1, 4, MAC, { state: NUD.NOARP, flags: NTF.SELF })
    }
  }
]

for (const { is, yes, no } of RULES) {
  await t.test(is.name, (t) => {
    for (const [name, row] of Object.entries(yes)) t.ok(is(row), name)
    for (const [name, row] of Object.entries(no)) t.notOk(is(row), `not: ${name}`)
    t.end()
  })
}
