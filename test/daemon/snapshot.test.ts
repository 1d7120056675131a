// What the page is told: bounded whatever there is, and events only for those who listen, when there is news.
import http, { type ServerResponse } from 'node:http'
import t from 'tap'
import { Events } from '../../lib/daemon/http/events.js'
import { readPage } from '../../lib/daemon/http/page.js'
import { explainAddress, explainVtep } from '../../lib/daemon/http/questions.js'
import { snapshot } from '../../lib/daemon/http/snapshot.js'
import { NTF, NUD } from '../../lib/netlink/index.js'
import { ZERO_MAC } from '../../lib/net/mac.js'
import { waitFor } from '../lab/wait.js'
import { settle } from '../walk/slips.js'
import { chassisOfVni100 } from '../walk/vni-100.js'

const MACS = Array.from({ length: 6 }, (_, i) => `02:00:00:00:01:0${i}`)
const PORTS = Array.from({ length: 30 }, (_, i) => [`vm${i}`, i === 0 ? MACS.join() : `02:00:00:00:02:${10 + i}`] as const)
const { clock, chassis, kernel, row } = chassisOfVni100(Object.fromEntries(PORTS))
for (let i = 0; i < 230; i++) {
  kernel.write({ op: 'append', row: { ...row, lladdr: ZERO_MAC, state: NUD.NOARP | NUD.PERMANENT, flags: NTF.SELF, dst: `192.0.2.${i}` } }, 'speaker')
}
for (let i = 0; i < 150; i++) {
  kernel.write({ op: 'replace', row: { ...row, lladdr: `02:00:00:01:00:${(i + 16).toString(16)}`, state: NUD.REACHABLE, flags: NTF.SELF | NTF.EXT_LEARNED, dst: '192.0.2.7' } }, 'speaker')
}
chassis.start()
await settle(chassis)
const agent = chassis.life?.agent
clock.uninstall()
if (agent === undefined) throw new Error('no agent')
const sessions = { ovsdb: 'connected', openflow: 'connected', netlink: 'synced' }
const ask = (query: Readonly<Record<string, string>>) => new URLSearchParams(query)

await t.test('it shows so much of each, and says how much more there is', (t) => {
  const drops = [{ vni: 100, reason: 'inner VLAN', packets: 3, bytes: 4 }, { vni: null, port: 'p', reason: 'wrong VNI', packets: 1, bytes: 1 }]
  const { vnis, vteps, portDrops, areDropsKnown, elsewhere } = snapshot({ agent, version: '1.2.3', sessions, drops })
  t.same([vteps.shown.length, vteps.more], [200, 30])
  t.equal(vnis.shown[0]?.vteps, 230, 'all are counted')
  t.same([vnis.shown[0]?.ports.shown.length, vnis.shown[0]?.ports.more], [24, 6])
  const port = vnis.shown[0]?.ports.shown.find((one) => one.port === 'vm0')
  t.same([port?.macs.shown.map(({ mac }) => mac), port?.macs.more], [MACS.slice(0, 4), 2])
  t.same(vnis.shown[0]?.drops, [{ reason: 'inner VLAN', packets: 3 }])
  t.equal(areDropsKnown, true)
  t.match(snapshot({ agent, version: '1.2.3', sessions, drops: undefined }), { areDropsKnown: false, portDrops: [] }, 'as long as the switch has not told')
  t.same(portDrops.map(({ reason }) => reason), ['wrong VNI'])
  t.same(elsewhere, { shown: [], more: 0 })
  t.same(vteps.shown.find(({ ip }) => ip === '192.0.2.7')?.vnis, { shown: [{ vni: 100, macs: 150 }], more: 0 })
  t.equal(vteps.shown.find(({ ip }) => ip === '192.0.2.7')?.macs, 150)
  t.same(vteps.shown.map(({ ip }) => Number(ip.split('.')[3])), vteps.shown.map(({ ip }) => Number(ip.split('.')[3])).sort((a, b) => a - b), 'in the order of their addresses')
  t.end()
})

await t.test('what happened is told in the words of ovs-evpnctl watch, the latest first', (t) => {
  const note = { kind: 'mac', vni: 100, of: MACS[0] ?? '', from: '192.0.2.1', to: '192.0.2.2', by: 'speaker', since: undefined, key: undefined } as const
  agent.state.history.record(note)
  agent.state.history.record({ ...note, kind: 'vtep', of: '192.0.2.2 4790', from: 'unicast only', to: undefined, by: 'stale-time' })
  agent.state.history.record({ ...note, kind: 'speaker', vni: undefined, of: 'routing daemon', from: 'alive', to: 'dead' })
  agent.state.history.record({ ...note, kind: 'drift', vni: undefined, of: 'flow x: somebody else deleted it', from: undefined, to: undefined, by: 'others' })
  const { events } = snapshot({ agent, version: '1.2.3', sessions, drops: [] })
  t.same(events.slice(0, 4).map(({ time: _, ...event }) => event), [
    { what: 'drift found', subject: '', isMac: false, change: 'flow x: somebody else deleted it', by: 'somebody else', latency: '' },
    { what: 'FRR dead', subject: 'routing daemon', isMac: false, change: 'alive -> dead', by: 'routing daemon', latency: '' },
    { vni: 100, what: 'VTEP down', subject: '192.0.2.2 UDP port 4790', isMac: false, change: 'was unicast only', by: 'end of evpn-stale-time', latency: '' },
    { vni: 100, what: 'MAC moved', subject: MACS[0], isMac: true, change: '192.0.2.1 -> 192.0.2.2', by: 'routing daemon', latency: '' }
  ])
  t.notMatch(readPage().html, /speaker:|'others'|stale-time/, 'the page has no words of its own for them')
  t.end()
})

await t.test('a VTEP asked for: what it is in each VNI, and the first hundred MACs behind it', (t) => {
  const answer = explainVtep(agent.state, ask({ ip: '192.0.2.7', port: '4789' }))
  t.same([answer?.macs.shown.length, answer?.macs.more], [100, 50])
  t.match(answer?.vnis.shown, [{ vni: 100, macs: 150, flood: true }])
  for (const query of [{}, { ip: 'x', port: '4789' }, { ip: '192.0.2.7', port: 'x' }, { ip: '192.0.2.7', port: '1' }, { ip: '203.0.113.1', port: '4789' }]) {
    t.equal(explainVtep(agent.state, ask(query)), undefined, JSON.stringify(query))
  }
  t.end()
})

await t.test('an address that nobody knows is not searched for', async (t) => {
  for (const query of [{}, { vni: '100' }, { vni: '100', address: 'x' }, { vni: '100', address: '02:ff:00:00:00:00' }, { vni: '7', address: '02:00:00:01:00:10' }, { vni: '-1', address: '::1' }]) {
    t.equal(await explainAddress(agent.state, ask(query), sessions), undefined, JSON.stringify(query))
  }
  t.match(await explainAddress(agent.state, ask({ vni: '100', address: '02:00:00:01:00:10' }), sessions), { mac: '02:00:00:01:00:10', remote: { ip: '192.0.2.7' } })
})

await t.test('the page brings all it needs, and its policy names its one script and its one style', (t) => {
  const { html, policy } = readPage()
  t.match(policy, /^script-src 'sha256-[\w+/]+='; style-src 'sha256-[\w+/]+='; connect-src 'self'; img-src data:$/)
  t.notMatch(html, /(?:src|href)="(?!data:)|@import|url\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(| on\w+="| style="/)
  t.same([...new Set([...html.matchAll(/https?:\/\/[^'"\s]+/g)].map(([address]) => address))], ['http://www.w3.org/2000/svg'], 'no address of anybody')
  t.end()
})

await t.test('events: the state at once, news when there is some, and nothing is made for nobody', async (t) => {
  let [state, made] = ['a', 0]
  const events = new Events(() => {
    made++
    return Promise.resolve(state)
  })
  const server = http.createServer((_request, response: ServerResponse) => {
    const answer = events.join(response)
    if (answer !== undefined) response.writeHead(answer.status ?? 200).end(answer.body)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  const listen = () => {
    const heard = { text: '', status: 0, request: http.get({ host: '127.0.0.1', port }) }
    heard.request.on('error', () => undefined).on('response', (response) => {
      heard.status = response.statusCode ?? 0
      response.setEncoding('utf8').on('data', (text: string) => { heard.text += text }).on('error', () => undefined)
    })
    return heard
  }
  t.equal(made, 0)
  const first = listen()
  await waitFor('the state', () => first.text === 'data: a\n\n' || first.text)
  const second = listen()
  await waitFor('the state for one who comes later', () => second.text === 'data: a\n\n' || second.text)
  state = 'b'
  for (const { text } of [first, second]) await waitFor('the news', () => text.length >= 0 && first.text.endsWith('data: b\n\n') && second.text.endsWith('data: b\n\n'))
  t.equal(first.text, 'data: a\n\ndata: b\n\n', 'and what is no news is not told')
  const others = Array.from({ length: 7 }, listen)
  const full = 'retry: 5000\nevent: full\ndata: 8\n\n'
  await waitFor('one too many to be told so', () => others.filter(({ text }) => text === full).length === 1 && others.filter(({ text }) => text.endsWith('data: b\n\n')).length === 6)
  for (const { request } of [first, second, ...others]) request.destroy()
  let before = -1
  await waitFor('it to stop', () => {
    const isStill = before === made
    before = made
    return isStill
  }, 20_000, 2_500)
  events.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
