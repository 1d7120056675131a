// The VLANs of bridges and ports: ranges, tunnel keys, one PVID for each port, and who is told of what.
import t from 'tap'
import { VlanMirror } from '../../lib/mirror/vlans.js'
import { BRIDGE_VLAN_INFO } from '../../lib/netlink/index.js'

const { PVID } = BRIDGE_VLAN_INFO
const [PORT, OTHER] = [3, 4]

function mirror() {
  const told: string[] = []
  const vlans = new VlanMirror((ifindex, vid, tunnelIds, hasOtherPvid) => told.push(`${ifindex} ${vid} [${tunnelIds.join(' ')}]${hasOtherPvid ? ' pvid' : ''}`))
  return { vlans, take: () => told.splice(0) }
}

await t.test('a range is each of its VLANs, with the tunnel keys that follow', (t) => {
  const { vlans, take } = mirror()
  vlans.put({ ifindex: PORT, vlans: [{ vid: 20, end: 22, flags: 0, tunnelId: 1020 }] })
  t.strictSame(take(), ['3 20 [1020]', '3 21 [1021]', '3 22 [1022]'])
  t.equal(vlans.vidOfTunnel(PORT, 1022), 22)
  t.equal(vlans.vidOfTunnel(OTHER, 1022), undefined)
  t.ok(vlans.isMember(PORT, 21))
  vlans.delete({ ifindex: PORT, vlans: [{ vid: 21, end: 22, flags: 0 }] })
  t.strictSame(take(), ['3 21 [1021]', '3 22 [1022]'])
  t.notOk(vlans.isMember(PORT, 21))
  t.equal(vlans.vidOfTunnel(PORT, 1022), undefined)
  t.end()
})

await t.test('the same once more is no news', (t) => {
  const { vlans, take } = mirror()
  const row = { ifindex: PORT, vlans: [{ vid: 10, flags: PVID, tunnelId: 1010 }] }
  vlans.put(row)
  take()
  vlans.put(row)
  t.strictSame(take(), [])
  t.end()
})

await t.test('a port has one PVID: the news of the new one say that the old one is none', (t) => {
  const { vlans, take } = mirror()
  vlans.put({ ifindex: PORT, vlans: [{ vid: 1, flags: PVID }] })
  vlans.put({ ifindex: PORT, vlans: [{ vid: 10, flags: PVID }] })
  t.equal(vlans.pvid(PORT), 10)
  vlans.put({ ifindex: PORT, vlans: [{ vid: 1, flags: 0 }] })
  t.equal(vlans.pvid(PORT), 10, 'that VLAN 1 is no PVID takes nothing from VLAN 10')
  vlans.put({ ifindex: PORT, vlans: [{ vid: 10, flags: 0 }] })
  t.equal(vlans.pvid(PORT), undefined)
  t.strictSame(take(), ['3 1 [] pvid', '3 10 [] pvid', '3 10 [] pvid'])
  t.end()
})

await t.test('a tunnel key moves to another VLAN, whichever is told of first', (t) => {
  for (const order of [[10, 20], [20, 10]]) {
    const { vlans } = mirror()
    vlans.put({ ifindex: PORT, vlans: [{ vid: 10, flags: 0, tunnelId: 1010 }, { vid: 20, flags: 0 }] })
    for (const vid of order) vlans.put({ ifindex: PORT, vlans: [vid === 20 ? { vid, flags: 0, tunnelId: 1010 } : { vid, flags: 0 }] })
    t.equal(vlans.vidOfTunnel(PORT, 1010), 20, order.join(' then '))
  }
  t.end()
})

await t.test('a resync: what was not seen is gone, PVID and tunnel keys with it', (t) => {
  const { vlans, take } = mirror()
  vlans.put({ ifindex: PORT, vlans: [{ vid: 1, flags: PVID }, { vid: 10, flags: 0, tunnelId: 1010 }] })
  vlans.put({ ifindex: OTHER, vlans: [{ vid: 10, flags: 0 }] })
  take()
  vlans.beginResync()
  vlans.put({ ifindex: OTHER, vlans: [{ vid: 10, flags: 0 }] })
  vlans.finishResync()
  t.strictSame(take().sort(), ['3 1 [] pvid', '3 10 [1010]'])
  t.equal(vlans.pvid(PORT), undefined)
  t.ok(vlans.isMember(OTHER, 10))
  t.end()
})

await t.test('a device that goes takes its VLANs along; one without vlan_tunnel has no keys', (t) => {
  const { vlans, take } = mirror()
  vlans.put({ ifindex: PORT, vlans: [{ vid: 10, flags: PVID, tunnelId: 1010 }] })
  take()
  vlans.forgetTunnels(PORT)
  t.strictSame(take(), ['3 10 [1010]'])
  t.equal(vlans.pvid(PORT), 10, 'the rest stays')
  vlans.deleteDevice(PORT)
  t.notOk(vlans.isMember(PORT, 10))
  t.end()
})
