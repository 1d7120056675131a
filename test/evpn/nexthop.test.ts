// A nexthop group as a VNI can use it: which members, and weights that Open vSwitch can keep.
import fc from 'fast-check'
import t from 'tap'
import { fitWeights, membersFor, usablePaths, type Members } from '../../lib/evpn/nexthop.js'
import type { LocalIps } from '../../lib/config/system.js'

const V4 = { ip: '192.0.2.2', weight: 1 }
const V6 = { ip: '2001:db8::2', weight: 1 }
const [LOCAL4, LOCAL6, BOTH]: readonly LocalIps[] = [{ 4: '192.0.2.1' }, { 6: '2001:db8::1' }, { 4: '192.0.2.1', 6: '2001:db8::1' }]

await t.test('all VNIs share a group of one family; of a mixed one, a VNI with one address uses that family', (t) => {
  const cases: readonly (readonly [string, readonly (typeof V4)[], LocalIps | undefined, Members])[] = [
    ['IPv4 members, IPv4 address', [V4], LOCAL4, 'all'],
    ['IPv4 members, IPv6 address: it leads nowhere in any case', [V4], LOCAL6, 'all'],
    ['no member', [], LOCAL4, 'all'],
    ['both, both', [V4, V6], BOTH, 'all'],
    ['both, IPv4', [V4, V6], LOCAL4, 4],
    ['both, IPv6', [V4, V6], LOCAL6, 6],
    ['both, none', [V4, V6], {}, 'all']
  ]
  for (const [what, paths, localIps, members] of cases) t.equal(membersFor(paths, localIps ?? {}), members, what)
  t.strictSame(usablePaths([V4, V6], 4), [V4])
  t.strictSame(usablePaths([V4, V6], 6), [V6])
  t.strictSame(usablePaths([V4, V6], 'all'), [V4, V6])
  t.end()
})

await t.test('a multicast group or no address at all is no path', (t) => {
  t.strictSame(usablePaths([{ ip: '239.1.1.1', weight: 1 }, { ip: '0.0.0.0', weight: 1 }, { ip: 'ff05::1', weight: 1 }, V4], 'all'), [V4])
  t.end()
})

await t.test('weights that fit 256 values of dp_hash stay as they are, others keep their order and every path its share', (t) => {
  const weigh = (...weights: number[]) => fitWeights(weights.map((weight, i) => ({ ip: `192.0.2.${i}`, weight }))).map(({ weight }) => weight)
  t.strictSame(weigh(), [])
  t.strictSame(weigh(1, 255), [1, 255])
  t.strictSame(weigh(100, 200, 256), [100, 200, 256])
  t.strictSame(weigh(1, 256), [1, 254])
  t.strictSame(weigh(40000, 40000), [128, 128])
  t.end()
})

await t.test('property: Open vSwitch can spread any group over its 256 values, and larger weights never get less', (t) => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 65536 }), { maxLength: 256 }), (weights) => {
    const paths = weights.map((weight, i) => ({ ip: `10.0.${i >> 8}.${i & 255}`, weight }))
    const fit = fitWeights(paths)
    const sum = fit.reduce((total, { weight }) => total + weight, 0)
    const least = Math.min(...fit.map(({ weight }) => weight))
    const ordered = paths.every((a, i) => paths.every((b, j) => a.weight <= b.weight || (fit[i]?.weight ?? 0) >= (fit[j]?.weight ?? 0)))
    return fit.length === 0 || (ordered && least >= 1 && Math.ceil(sum / least) <= 256 && fit.every(({ weight }) => weight <= 0xffff))
  }), { numRuns: 60 })
  t.pass('always')
  t.end()
})
