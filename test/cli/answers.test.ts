// What ovs-vswitchd and vtysh answer, read: their words as captured (Open vSwitch 3.1.0, FRR 8.4.4), and what is no answer.
import t from 'tap'
import { findTunnelNeighbour, parseRouteLookup } from '../../lib/cli/vswitchd.js'
import { parseSaid } from '../../lib/cli/vtysh.js'
import { bgpPaths, zebraMac } from '../../lib/cli/frr-view.js'
import { speakerDirectory } from '../../lib/cli/explain/gather.js'

await t.test('ovs/route/lookup', (t) => {
  t.strictSame(parseRouteLookup('src 192.0.2.1\ngateway ::\ndev br-phy\n'), { dev: 'br-phy', src: '192.0.2.1' }, 'on the link')
  t.strictSame(parseRouteLookup('src 192.0.2.1\ngateway 192.0.2.254\ndev br-phy\n'), { dev: 'br-phy', gateway: '192.0.2.254', src: '192.0.2.1' })
  t.strictSame(parseRouteLookup('src 2001:db8::1\ngateway fe80::1\ndev br-phy\n'), { dev: 'br-phy', gateway: 'fe80::1', src: '2001:db8::1' })
  t.equal(parseRouteLookup('Not found\n'), undefined)
  t.end()
})

await t.test('tnl/neigh/show', (t) => {
  const table = [
    'IP                                            MAC                 Bridge', '='.repeat(74),
    '192.0.2.2                                     82:3e:b0:cb:9a:cd   br-phy', '2001:db8::2                                   82:3e:b0:cb:9a:ce   br-phy', ''
  ].join('\n')
  t.equal(findTunnelNeighbour(table, '192.0.2.2'), '82:3e:b0:cb:9a:cd')
  t.equal(findTunnelNeighbour(table, '2001:db8::2'), '82:3e:b0:cb:9a:ce')
  t.equal(findTunnelNeighbour(table, '192.0.2.3'), undefined)
  t.end()
})

await t.test('zebra\'s MACs', (t) => {
  const remote = { type: 'remote', remoteVtep: '192.0.2.2', isDuplicate: false, neighbors: { active: ['10.0.1.21'], inactive: [] } }
  t.strictSame(zebraMac(remote), { type: 'remote', vtep: '192.0.2.2', isDuplicate: false, ips: ['10.0.1.21'] })
  t.strictSame(zebraMac({ type: 'local', isDuplicate: true }), { type: 'local', isDuplicate: true, ips: [] })
  t.strictSame(zebraMac({}), { type: 'unknown', isDuplicate: false, ips: [] })
  t.end()
})

await t.test('bgpd\'s paths, at the top or under the prefix', (t) => {
  const theirs = { valid: true, bestpath: { overall: true }, nexthops: [{ ip: '192.0.2.2' }], peer: { peerId: '192.0.2.2' } }
  const ours = { valid: true, sourced: true, local: true, bestpath: { overall: true }, nexthops: [{ ip: '192.0.2.1' }], peer: { peerId: '0.0.0.0' } }
  const read = [
    { nexthop: '192.0.2.2', peer: '192.0.2.2', isValid: true, isBest: true, isLocal: false },
    { nexthop: '192.0.2.1', isValid: true, isBest: true, isLocal: true }
  ]
  t.strictSame(bgpPaths({ numPaths: 2, paths: [[theirs], [ours]] }), read)
  t.strictSame(bgpPaths({ '[2]:[0]:[48]:[02:00:00:00:00:01]': { prefixLen: 352, paths: [[theirs, ours]] }, numPrefix: 1 }), read)
  t.strictSame(bgpPaths({}), [])
  t.strictSame(bgpPaths({ paths: 'none' }), [])
  t.end()
})

await t.test('an answer that is no object is none', (t) => {
  t.strictSame(parseSaid({ kind: 'said', text: '{"vni":10}\n' }), { vni: 10 })
  for (const text of ['', '% VNI 10 does not exist\n', '[]', '"x"', 'null']) t.equal(parseSaid({ kind: 'said', text }), undefined, text)
  t.equal(parseSaid({ kind: 'silent', why: 'vtysh is not installed' }), undefined)
  t.end()
})

await t.test('vtysh looks where evpn-speaker says, unless that is where it looks anyway', (t) => {
  t.equal(speakerDirectory(['/run/frr/zserv.api', '/run/frr/bgpd.vty']), undefined)
  t.equal(speakerDirectory([]), undefined)
  t.equal(speakerDirectory(['/run/frr-evpn/zserv.api']), '/run/frr-evpn')
  t.end()
})
