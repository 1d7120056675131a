// A nexthop group as a VNI can use it: which members, and weights that Open vSwitch can keep.
import fc from 'fast-check'
import t from 'tap'
import { fitWeights, leftOut, usablePaths } from '../../lib/evpn/nexthop.js'
import type { LocalIps } from '../../lib/config/system.js'
import { SEED } from '../hostile/input.js'

const V4 = { ip: '192.0.2.2', weight: 1 }
const V6 = { ip: '2001:db8::2', weight: 1 }
const [LOCAL4, LOCAL6, BOTH]: readonly LocalIps[] = [{ 4: '192.0.2.1' }, { 6: '2001:db8::1' }, { 4: '192.0.2.1', 6: '2001:db8::1' }]

/** Of the VTEPs, those announced for flooding and those that only MACs are behind. */
function vteps(flood: readonly string[], macs: readonly string[] = []): (ip: string) => { flood: boolean, own: boolean } | undefined {
  return (ip) => flood.includes(ip) ? { flood: true, own: true } : macs.includes(ip) ? { flood: false, own: true } : undefined
}

await t.test('what a VNI leaves out of a nexthop group: members that are no VTEPs of it, or that it cannot reach', (t) => {
  const [A, B, C] = [{ ip: '192.0.2.2', weight: 1 }, { ip: '192.0.2.3', weight: 1 }, { ip: '192.0.2.4', weight: 1 }]
  const group = [A, B, C]
  const cases: readonly (readonly [string, readonly (typeof V4)[], LocalIps | undefined, ReturnType<typeof vteps>, string])[] = [
    ['all of them are VTEPs of the VNI', group, LOCAL4, vteps([A.ip, B.ip, C.ip]), ''],
    ['one is not', group, LOCAL4, vteps([A.ip, C.ip]), B.ip],
    ['two are not', group, LOCAL4, vteps([C.ip]), `${A.ip} ${B.ip}`],
    ['one that MACs alone are behind is one', group, LOCAL4, vteps([A.ip], [B.ip]), C.ip],
    ['none is announced for flooding: nobody says who is', group, LOCAL4, vteps([], [B.ip]), ''],
    ['all are known by nexthops alone', group, LOCAL4, () => ({ flood: false, own: false }), ''],
    ['IPv4 members, IPv6 address: it leads nowhere in any case', [V4], LOCAL6, vteps([]), ''],
    ['no member', [], LOCAL4, vteps([A.ip]), ''],
    ['members of both families, both addresses', [V4, V6], BOTH, vteps([]), ''],
    ['both, IPv4 address', [V4, V6], LOCAL4, vteps([]), V6.ip],
    ['both, IPv6 address', [V4, V6], LOCAL6, vteps([]), V4.ip],
    ['both, no address', [V4, V6], {}, vteps([V4.ip]), ''],
    ['the one that is announced cannot be reached: as if none were', [B, V4, V6], LOCAL4, vteps([V6.ip]), V6.ip],
    ['a multicast group is no member, and is not left out', [A, { ip: '239.1.1.1', weight: 1 }], LOCAL4, vteps([A.ip]), '']
  ]
  for (const [what, paths, localIps, vtepOf, without] of cases) t.equal(leftOut(paths, localIps ?? {}, vtepOf), without, what)
  t.strictSame(usablePaths([V4, V6], V6.ip), [V4])
  t.strictSame(usablePaths(group, `${A.ip} ${B.ip}`), [C])
  t.strictSame(usablePaths([V4, V6], ''), [V4, V6])
  t.end()
})

await t.test('a path that fails changes what is left out, and with it flows, only when it is left out itself or was the last that is announced for flooding', (t) => {
  const group = [2, 3, 4, 5].map((n) => ({ ip: `192.0.2.${n}`, weight: n }))
  const after = (failed: string, vtepOf: ReturnType<typeof vteps>) => leftOut(group.filter(({ ip }) => ip !== failed), BOTH ?? {}, vtepOf)
  const three = vteps(['192.0.2.2', '192.0.2.3', '192.0.2.4'])
  for (const failed of ['192.0.2.2', '192.0.2.3', '192.0.2.4']) t.equal(after(failed, three), '192.0.2.5', failed)
  t.equal(after('192.0.2.5', three), '', 'it is left out')
  const one = vteps(['192.0.2.2'])
  t.equal(after('', one), '192.0.2.3 192.0.2.4 192.0.2.5')
  t.equal(after('192.0.2.2', one), '', 'the last that is announced: nobody says any more who is a VTEP of the VNI')
  t.end()
})

await t.test('a multicast group or no address at all is no path', (t) => {
  t.strictSame(usablePaths([{ ip: '239.1.1.1', weight: 1 }, { ip: '0.0.0.0', weight: 1 }, { ip: 'ff05::1', weight: 1 }, V4], ''), [V4])
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
  }), { numRuns: 60, seed: SEED })
  t.pass('always')
  t.end()
})
