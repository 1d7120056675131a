// Issue 7, point 5: what the daemon tells Prometheus, that every expression of the dashboard and the alert rules in docs/monitoring
// finds it there, and the page that shows the fabric, in a real browser.
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { PATIENCE } from '../lab/wait.js'
import { Chassis, lines } from './util/chassis.js'
import { Browser } from './util/chromium.js'
import { eventually } from './util/eventually.js'
import { fetchAll } from './util/fetch.js'
import { Prometheus, type Point } from './util/prometheus.js'
import { Speaker } from './util/speaker.js'
import { Wire } from './util/wire.js'
import { workload } from './util/workload.js'

t.setTimeout(280_000 * PATIENCE)

/** Ms for what is shown after several steps: a look once a second, the switch's counters every five, a browser that draws. */
const LONG = 60_000

const URL = 'http://127.0.0.1:9475'
const RULES = 'docs/monitoring/alerts.yml'
const [A, B] = ['192.0.2.11', '192.0.2.12'] as const
const MAC = '02:aa:00:00:00:01'
/** A bridge does not forward it (IEEE 802.1Q, table 8-1), and neither do we: it is dropped and counted. */
const RESERVED = '01:80:c2:00:00:0e'

const [vm, other] = [workload('vm1', 10, 1), workload('vm2', 20, 2)]
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [10, 20], workloads: [vm, other] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
// Nothing is sent but what the test sends: a frame of its own would end the other's claim.
for (const { name } of [vm, other]) await lab.exec(name, ['ip', 'addr', 'flush', 'dev', 'eth0'])
const speaker = new Speaker(c1)
const socket = `${lab.host('c1').dir}/zserv.api`
const routing = lab.spawn('c1', [process.execPath, '-e', `require('net').createServer().listen(${JSON.stringify(socket)})`], { stdio: 'ignore' })
await eventually('the routing daemon to listen', () => c1.run(['cat', '/proc/net/unix']), (text) => text.includes(socket))
await c1.set('Bridge br-int', { 'evpn-speaker': socket })
const daemon = await lab.startDaemon('c1', ['--metrics=:9475'])
const wire = await Wire.open(lab, 'vm1')
for (const vtep of [A, B]) await speaker.vtep(10, vtep)
await speaker.vtep(20, A)
await speaker.mac(10, MAC, A)
await speaker.ip(10, '10.0.0.99', MAC)

/** What /metrics says now. */
const scrape = async () => (await fetchAll(lab, 'c1', [`${URL}/metrics`]))[0]?.body ?? ''
const shows = (what: string, ...series: readonly string[]) => eventually(what, async () => {
  const text = lines(await scrape())
  return series.filter((line) => !text.includes(line)).map((line) => `not there: ${line}; but ${text.filter((other) => other.startsWith(line.split('{')[0] ?? '')).join(', ')}`)
}, (missing) => missing.length === 0)

await t.test('what is known is told', async () => {
  await shows('VTEPs, MACs, IPs, claims and sessions', 'ovs_evpn_vteps{vni="10"} 2', 'ovs_evpn_vteps{vni="20"} 1', 'ovs_evpn_macs{vni="10"} 1', 'ovs_evpn_ips{vni="10"} 1',
    'ovs_evpn_ports{vni="20"} 1', 'ovs_evpn_claims{vni="10",state="advertised"} 1', 'ovs_evpn_claims{vni="10",state="contested"} 0',
    'ovs_evpn_session_up{session="ovsdb"} 1', 'ovs_evpn_session_up{session="openflow"} 1', 'ovs_evpn_session_up{session="netlink"} 1',
    'ovs_evpn_settled 1', 'ovs_evpn_routing_daemon_up 1', 'ovs_evpn_entries_pending{kind="flow"} 0')
})

await t.test('a claim that another chassis takes over is contested; a packet that is dropped is counted by VNI and reason', async () => {
  await speaker.mac(10, vm.mac, B)
  wire.send({ src: '02:00:00:00:00:77', dst: RESERVED, name: 'dropped' })
  await shows('the contested claim, and the drop', 'ovs_evpn_claims{vni="10",state="contested"} 1', 'ovs_evpn_claims{vni="10",state="advertised"} 0',
    'ovs_evpn_drops_total{vni="10",reason="reserved destination"} 1')
})

await t.test('promtool has no complaint about the metrics and the rules', async (t) => {
  t.match(await scrape(), /^# HELP ovs_evpn_info /)
  const metrics = await lab.exec('c1', ['promtool', 'check', 'metrics'], { input: await scrape(), allowFailure: true })
  t.equal(metrics.stdout + metrics.stderr, '')
  t.equal(metrics.code, 0)
  t.match((await lab.exec('c1', ['promtool', 'check', 'rules', '--lint-fatal', RULES])).stdout, /SUCCESS/)
  t.match((await lab.exec('c1', ['promtool', 'test', 'rules', 'fixtures/monitoring/alerts.yml'])).stdout, /SUCCESS/, 'each alert fires when it should, none on a healthy chassis')
})

await t.test('what others ask for is refused', async (t) => {
  const [elsewhere, byName, loopback] = await fetchAll(lab, 'c1', [`${URL}/metrics/x`, 'http://localhost:9475/', 'http://192.0.2.1:9475/metrics'])
  t.equal(elsewhere?.status, 404)
  t.equal(byName?.status, 200)
  t.equal(loopback?.status, 0, 'on loopback, and nowhere else')
  t.notMatch(daemon.log(), 'is not loopback')
})

let prometheus: Prometheus | undefined
const query = (expressions: readonly string[]) => prometheus?.query(expressions) ?? Promise.resolve([])
const rules = () => prometheus?.rules() ?? Promise.resolve([])

await t.test('Prometheus scrapes it, while something of every kind happens', async () => {
  prometheus = await Prometheus.start(lab, 'c1', '127.0.0.1:9475', RULES)
  await eventually('a first scrape', () => query(['ovs_evpn_info']), ([points]) => (points?.length ?? 0) > 0, LONG)
  await speaker.nexthops({ 1: A, 2: B })
  await speaker.nexthopGroup(10, { 1: 1, 2: 1 })
  await speaker.multihomed(10, ['02:aa:00:00:00:02', '02:aa:00:00:00:04'], 10)
  await speaker.mac(10, MAC, B)
  await speaker.mac(10, '02:aa:00:00:00:03', A)
  await shows('the new MACs', 'ovs_evpn_macs{vni="10"} 5')
  await speaker.noMac(10, '02:aa:00:00:00:03')
  await shows('one less', 'ovs_evpn_macs{vni="10"} 4')
})

interface Dashboard { readonly panels: readonly { readonly title: string, readonly targets: readonly { readonly expr: string }[] }[] }

const dashboard = JSON.parse(readFileSync('docs/monitoring/dashboard.json', 'utf8')) as Dashboard
const shown = dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expression: expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m') })))

/** Waits until each of them gives a number. */
async function giveData(expressions: readonly string[]): Promise<void> {
  const hasData = (points: readonly Point[] | undefined) => points?.some(({ value }) => !Number.isNaN(value)) ?? false
  await eventually('every expression to give data', async () => {
    const answers = await query(expressions)
    return expressions.filter((_, i) => !hasData(answers[i]))
  }, (empty) => empty.length === 0, LONG)
}

await t.test('every expression of the dashboard gives data', async (t) => {
  t.ok(shown.length > 25, `${shown.length} expressions`)
  t.notOk(shown.find(({ expression }) => expression.includes('$')), 'no variable is left')
  await giveData(shown.map(({ expression }) => expression))
})

await t.test('every alert rule has data to judge, and judges', async (t) => {
  const evaluated = await eventually('all rules to be evaluated', rules, (all) => all.length >= 15 && all.every(({ health }) => health === 'ok'), LONG)
  // Without what it compares with, an expression gives what it judges.
  await giveData(evaluated.map(({ query }) => query.replaceAll(/ (==|>) [\d.e]+/g, '')))
  const stateOf = (states: readonly { readonly name: string, readonly state: string }[], name: string) => states.find((rule) => rule.name === name)?.state
  await eventually('the contested address to be noticed', rules, (all) => stateOf(all, 'OvsEvpnContested') === 'pending', LONG)
  for (const name of ['OvsEvpnSessionDown', 'OvsEvpnRoutingDaemonGone', 'OvsEvpnRefused', 'OvsEvpnOverruns']) {
    t.equal(stateOf(evaluated, name), 'inactive', `${name}: nothing of the kind happened`)
  }
})

await t.test('latencies: each kind of change, in a histogram that adds up', async (t) => {
  const [counts = [], last = []] = await query(['ovs_evpn_latency_seconds_count', 'ovs_evpn_latency_seconds_bucket{le="+Inf"}'])
  t.same(counts.map(({ metric }) => metric['change']).sort(), ['group', 'learn', 'move', 'withdraw'])
  for (const { metric, value } of counts) {
    t.ok(value >= 1, `${metric['change']}: ${value}`)
    t.equal(last.find((bucket) => bucket.metric['change'] === metric['change'])?.value, value)
  }
})

// --- the page

/** What a person reads on it, a line each. */
const PICTURE = 'const text = (id) => document.getElementById(id).innerText.split("\\n").map((line) => line.trim()).filter((line) => line !== "")'
/** The nodes of the picture: what each is called, its text, and whether its box is shown as stale or bad. */
const NODES = '[...document.querySelectorAll("svg .node")].map((node) => `${node.getAttribute("aria-label")}: ${[...node.querySelectorAll("text")].map(({ textContent }) => textContent).join(", ")} [${node.querySelector(".box").getAttribute("class").trim()}]`)'

let browser: Browser | undefined
const evaluate = <T>(expression: string): Promise<T> => browser?.evaluate<T>(expression) ?? Promise.reject(new Error('no browser'))
const nodes = () => evaluate<string[]>(NODES)
const read = (id: string) => evaluate<string[]>(`(() => { ${PICTURE}; return text("${id}") })()`)
const has = (list: readonly string[], pattern: RegExp) => list.some((line) => pattern.test(line))
const click = (selector: string) => evaluate(`document.querySelector(${JSON.stringify(selector)}).dispatchEvent(new MouseEvent("click", { bubbles: true })) && undefined`)

/** Holds all places of those who look at the page, and says "full". */
const HOLDER = `
  const http = require('node:http')
  const places = new Set()
  const hold = () => http.get('${URL}/events', (response) => {
    let text = ''
    response.setEncoding('utf8').on('error', () => undefined).on('data', (data) => {
      text += data
      if (text.includes('event: full')) process.stdout.write('full')
      else if (text.includes('data: ')) places.add(response)
      if (places.size === 8) hold()
    })
  }).on('error', () => process.exit(1))
  for (let i = 0; i < 8; i++) hold()`

await t.test('one who looks when eight do already is told so, and gets the picture when there is room', async () => {
  const holder = lab.spawn('c1', [process.execPath, '-e', HOLDER])
  let said = ''
  holder.stdout?.setEncoding('utf8').on('data', (text: string) => { said += text })
  await eventually('all places to be taken', () => said, (text) => text.includes('full'), LONG)
  browser = await Browser.start(lab, 'c1', 1280, 720)
  await browser.open(URL)
  await eventually('the page to say so', () => read('live'), (seen) => has(seen, /^8 others look already; trying again$/), LONG)
  await eventually('and where the picture would be', () => read('picture'), (seen) => has(seen, /^Only 8 may look at this page at once/), LONG)
  holder.kill('SIGKILL')
  await eventually('the picture', nodes, (seen) => has(seen, /^VNI 10: /), LONG)
  await eventually('the page to be live', () => read('live'), (seen) => has(seen, /^live$/), LONG)
})

await t.test('the page: this chassis, its VNIs and ports, the VTEPs with their MACs, what is contested and what was dropped', async () => {
  await eventually('the picture', nodes, (seen) => has(seen, /^VTEP 192\.0\.2\.11: 192\.0\.2\.11, 0 MACs, VNI (10, 20|20, 10) \[box ok\]$/) &&
    has(seen, /^VTEP 192\.0\.2\.12: .*, 2 MACs, VNI 10 \[box ok\]$/) && has(seen, /^VNI 10: .*4 remote MACs, 2 VTEPs, 1 contested · .*1.*dropp/) && has(seen, /^port vm1: .*contested/) && has(seen, /^port vm2: .*advertised/), LONG)
  await eventually('what is wrong', () => read('troubles'), (seen) => has(seen, /^contested VNI 10, vm1: 02:00:00:00:00:01$/) && has(seen, /VNI 10: reserved destination, 1 packet$/) && has(seen, /2 MACs on nexthop 10: 192\.0\.2\.11, 192\.0\.2\.12/), LONG)
  await eventually('the head', () => read('pills'), (seen) => has(seen, /OVSDB up.*switch up.*kernel up.*routing daemon up/), LONG)
})

const focused = () => evaluate<string | undefined>('document.activeElement.dataset.id')

await t.test('the page is live: what comes and what is dropped shows without loading it again, and the keyboard stays where it is', async (t) => {
  await evaluate('void (window.isSame = true)')
  for (const [selector, id, ip] of [[`#picture [data-id="vtep ${A} 4789"]`, `vtep ${A} 4789`, '192.0.2.13'], ['#troubles button', `mac 10 ${vm.mac}`, '192.0.2.14']] as const) {
    await evaluate(`document.querySelector(${JSON.stringify(selector)}).focus()`)
    t.equal(await focused(), id)
    await speaker.vtep(20, ip)
    await eventually('the new VTEP', nodes, (seen) => has(seen, new RegExp(`^VTEP ${ip}: .*VNI 20`)), LONG)
    t.equal(await focused(), id, 'after the picture was drawn anew')
  }
  await speaker.noVtep(20, '192.0.2.14')
  wire.send({ src: '02:00:00:00:00:77', dst: RESERVED, name: 'dropped again' })
  await eventually('the drop', () => read('troubles'), (seen) => has(seen, /^now VNI 10: reserved destination, 2 packets$/), LONG)
  await eventually('it told as an event', () => read('troubles'), (seen) => has(seen, /VTEP up 192\.0\.2\.13 VNI 20, flood and unicast, by routing daemon/), LONG)
  t.equal(await evaluate('window.isSame'), true)
})

await t.test('a reason that was not there before is shown as dropping now, and no longer when nothing was dropped for half a minute', async () => {
  wire.send({ src: '02:00:00:00:00:77', dst: '02:ff:00:00:00:01', name: 'to nobody' })
  await eventually('the drop', () => read('troubles'), (seen) => has(seen, /^now VNI 10: unknown unicast, \d+ packets?$/), LONG)
  await eventually('it in the picture', nodes, (seen) => has(seen, /^VNI 10: .*dropping, \d+ so far/), LONG)
  // The fabric is quiet from here on: nothing comes from the daemon, only time passes.
  await evaluate('void (() => { const now = performance.now.bind(performance); performance.now = () => now() + 60_000 })()')
  await eventually('nothing to be dropped now', () => read('troubles'), (seen) => !has(seen, /^now /) && has(seen, /^VNI 10: unknown unicast, \d+ packets?$/), LONG)
  await eventually('the picture to say so', nodes, (seen) => has(seen, /^VNI 10: .*\d+ dropped/), LONG)
})

await t.test('a click explains: a VTEP, and a MAC behind it with the flows it needs', async () => {
  await click(`[data-id="vtep ${B} 4789"]`)
  await eventually('the VTEP explained', () => read('answer'), (seen) => has(seen, /^VTEP 192\.0\.2\.12$/) && has(seen, /^10\s+ok\s+2\s+yes\s+192\.0\.2\.1$/) && has(seen, new RegExp(`^${MAC} VNI 10$`)), LONG)
  await evaluate(`[...document.querySelectorAll("#macs button")].find(({ innerText }) => innerText === "${MAC}").click()`)
  await eventually('the MAC explained', () => read('answer'), (seen) => has(seen, new RegExp(`^${MAC}, VNI 10$`)) && has(seen, /all as wanted$/) &&
    has(seen, new RegExp(`dl_dst=${MAC}`)) && has(seen, new RegExp(`^ovs-evpnctl explain 10 ${MAC}$`)), LONG)
  await click('[data-id="port vm1 10"]')
  await eventually('the contested address explained', () => read('answer'), (seen) => has(seen, /^here\s+vm1, contested$/) && has(seen, /another chassis announces/), LONG)
})

await t.test('the routing daemon goes: what it withdraws is shown as stale', async (t) => {
  routing.kill('SIGKILL')
  await eventually('its end', () => read('pills'), (seen) => has(seen, /routing daemon gone/), LONG)
  await speaker.noVtep(20, '192.0.2.13')
  await eventually('the stale VTEP', nodes, (seen) => has(seen, /^VTEP 192\.0\.2\.13: .*stale \[box stale\]$/), LONG)
  await shows('the stale row', 'ovs_evpn_stale_rows 1', 'ovs_evpn_routing_daemon_up 0')
  const png = await browser?.screenshot() ?? Buffer.alloc(0)
  t.equal(png.toString('latin1', 1, 4), 'PNG')
  t.ok(png.length > 30_000, `a picture with something on it: ${png.length} bytes`)
  writeFileSync('dist/fabric.png', png)
  t.comment('the picture is dist/fabric.png')
})

await t.test('of many VTEPs the first 200 are drawn, and it is said how many more there are', async () => {
  const rows = Array.from({ length: 220 }, (_, i) => `fdb append 00:00:00:00:00:00 dev vxlan-20 dst 198.51.100.${i + 1} self permanent`)
  await c1.run(['bridge', '-batch', '-'], { input: rows.join('\n') + '\n' })
  await eventually('200 VTEPs', async () => (await nodes()).filter((line) => line.startsWith('VTEP ')).length, (count) => count === 200, LONG)
  await eventually('the others counted', () => evaluate<string[]>('[...document.querySelectorAll("svg > text")].map(({ textContent }) => textContent)'), (texts) => texts.includes('and 23 more VTEPs'), LONG)
})

await t.test('the browser had nothing to complain of, and nobody can ask for what is not there', async (t) => {
  t.same(browser?.complaints, [])
  await browser?.close()
  const [vtep, mac, unknown] = await fetchAll(lab, 'c1', [`${URL}/vtep?ip=192.0.2.99&port=4789`, `${URL}/explain?vni=10&address=02:ff:00:00:00:01`, `${URL}/explain?vni=x&address=`])
  t.same([vtep, mac, unknown].map((answer) => answer?.status), [404, 404, 404])
  t.notMatch(daemon.log(), /\|http\|(ERR|WARN)/)
})
