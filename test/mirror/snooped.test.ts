import t from 'tap'
import { MAX_OF_MAC, SnoopedMirror } from '../../lib/mirror/snooped.js'

const VNI = 1000
const [A, B] = ['02:00:00:00:00:01', '02:00:00:00:00:02'] as const

function mirror(max?: number): { readonly snooped: SnoopedMirror, readonly take: () => string[] } {
  const news: string[] = []
  return {
    snooped: new SnoopedMirror((vni, mac, ip) => news.push(`${vni} ${mac} ${ip}`), max),
    take: () => news.splice(0)
  }
}

await t.test('an IP is of the MAC that was last heard to have it; of each VNI its own', (t) => {
  const { snooped, take } = mirror()
  snooped.put({ vni: VNI, mac: A, ip: '10.0.0.1' })
  snooped.put({ vni: VNI + 1, mac: B, ip: '10.0.0.1' })
  t.same(take(), [`${VNI} ${A} 10.0.0.1`, `${VNI + 1} ${B} 10.0.0.1`])
  snooped.put({ vni: VNI, mac: A, ip: '10.0.0.1' })
  t.same(take(), [], 'hearing it again changes nothing')
  snooped.put({ vni: VNI, mac: B, ip: '10.0.0.1' })
  t.same(take(), [`${VNI} ${A} 10.0.0.1`, `${VNI} ${B} 10.0.0.1`], 'both MACs are told of')
  t.equal(snooped.macOf(VNI, '10.0.0.1'), B)
  t.same([...snooped.ipsOf(VNI, A)], [])
  t.same([...snooped.under(VNI).keys()], [B], 'nothing is left of a MAC without IPs')
  t.equal(snooped.size, 2)
  t.end()
})

await t.test('IPs go with their MAC', (t) => {
  const { snooped, take } = mirror()
  for (const ip of ['10.0.0.1', 'fd00::1']) snooped.put({ vni: VNI, mac: A, ip })
  snooped.put({ vni: VNI, mac: B, ip: '10.0.0.2' })
  take()
  snooped.forget(VNI, A)
  t.same(take(), [`${VNI} ${A} 10.0.0.1`, `${VNI} ${A} fd00::1`])
  t.equal(snooped.macOf(VNI, '10.0.0.1'), undefined)
  t.equal(snooped.size, 1)
  snooped.forget(VNI, A)
  t.same(take(), [], 'there is nothing more to forget')
  t.end()
})

await t.test('a MAC has a limit: the IP that was not heard of for the longest time goes', (t) => {
  const { snooped, take } = mirror()
  for (let i = 0; i < MAX_OF_MAC; i++) snooped.put({ vni: VNI, mac: A, ip: `10.0.0.${i}` })
  snooped.put({ vni: VNI, mac: A, ip: '10.0.0.0' })
  take()
  snooped.put({ vni: VNI, mac: A, ip: '10.0.1.1' })
  t.same(take(), [`${VNI} ${A} 10.0.0.1`, `${VNI} ${A} 10.0.1.1`])
  t.equal(snooped.ipsOf(VNI, A).size, MAX_OF_MAC)
  t.equal(snooped.size, MAX_OF_MAC)
  t.end()
})

await t.test('and so have all of them', (t) => {
  const { snooped, take } = mirror(3)
  for (let i = 1; i <= 3; i++) snooped.put({ vni: VNI, mac: `02:00:00:00:00:0${i}`, ip: `10.0.0.${i}` })
  snooped.put({ vni: VNI, mac: A, ip: '10.0.0.1' })
  take()
  snooped.put({ vni: VNI, mac: '02:00:00:00:00:04', ip: '10.0.0.4' })
  t.same(take().sort(), [`${VNI} ${B} 10.0.0.2`, `${VNI} 02:00:00:00:00:04 10.0.0.4`])
  t.equal(snooped.size, 3)
  t.same([...snooped.ipsOf(VNI, B)], [])
  t.end()
})
