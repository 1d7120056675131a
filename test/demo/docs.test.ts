// The documents hold what they say: README.md's commands are executed on a chassis of the lab, what README.md and
// docs/pipeline.md show as output is what comes out, and files and functions that docs/architecture.md names exist.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Diagnosis } from '../../lib/cli/doctor/doctor.js'
import { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import { eventually } from '../system/util/eventually.js'
import { codeBlocks, firstMachine, forTheSecond, secondMachine } from './readme.js'

// It compiles nothing and installs one package; but each command is a process, and apt takes its time.
t.setTimeout(300_000)

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8')
const readme = read('README.md')
const blocks = codeBlocks(readme)

const lab = await Lab.up({ chassis: 2, linux: 0, vnis: [1000], devices: false, speaker: true, workloads: [] })
t.teardown(() => lab.down())
const first = await firstMachine(lab, ROOT)
t.teardown(() => first.close())
const second = await secondMachine(lab, ROOT)
t.teardown(() => second.close())

await t.test('README.md: a block is a picture, commands, or commands and what they print; the commands of each are executed below', (t) => {
  t.same(blocks.filter(({ language }) => !['sh', 'console'].includes(language)).map(({ language }) => language), ['text'], 'one picture')
  const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> }
  for (const [, script = ''] of readme.matchAll(/`npm (?:run )?([a-z:]+)/g)) t.ok(script in scripts, `package.json has ${script}`)
  t.end()
})

await t.test('README.md: the commands of the tutorial make a VTEP of each of two machines', async (t) => {
  const commands = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text)
  t.equal(commands.length, 6)
  for (const text of commands) {
    const isPing = text.includes(' ping ')
    const run = (sh: (script: string) => Promise<string>, script: string): Promise<string> =>
      isPing ? eventually(script, () => sh(script).catch(String), (said) => said.includes(' 0% packet loss'), 60_000) : sh(script)
    await run(first.sh, text)
    // The second machine has its packages and services: they are the lab's.
    await run(second.sh, forTheSecond(readme, text).split('\n').filter((line) => !/^(apt|npm|sed|systemctl) /.test(line)).join('\n'))
  }
  await waitFor('the MAC in the peer\'s routes', async () => {
    const routes = await lab.vtysh('c2', 'show bgp l2vpn evpn route type macip')
    return routes.includes('[02:00:00:01:01:01]:[32]:[10.0.1.11]') || routes
  })
})

await t.test('README.md: after it doctor, problems and explain find nothing wrong, on either machine', async (t) => {
  for (const { sh } of [first, second]) {
    // What doctor itself says there: nobody behind the userspace datapath fills in a checksum that was left to hardware.
    if (lab.plan.datapath === 'netdev') await sh('ethtool -K vm1 tx off')
    const said = await eventually('doctor to find nothing', () => sh('ovs-evpnctl doctor || echo "code $?"'), (text) => text.startsWith('Nothing found'), 30_000).catch(String)
    t.match(said, /^Nothing found in \d+ checks\.\n$/)
    t.same(JSON.parse(await sh('ovs-evpnctl problems --json')), [])
  }
  for (const ip of ['10.0.1.11', '10.0.1.21']) {
    const { verdict } = JSON.parse(await first.sh(`ovs-evpnctl explain 1000 ${ip} --json`)) as { readonly verdict: { readonly kind: string } }
    t.equal(verdict.kind, 'ok', JSON.stringify(verdict))
  }
})

await t.test('README.md: the output shown is the output that comes', async (t) => {
  const examples = blocks.filter(({ language }) => language === 'console').flatMap(({ text }) => text.split(/^\$ /m).slice(1))
  t.equal(examples.length, 6)
  for (const example of examples) {
    const [command = '', ...output] = example.split('\n')
    const wanted = output.join('\n')
    // What was just learned may not be everywhere yet.
    let printed = ''
    await waitFor(command, async () => { printed = await first.sh(command); return printed === wanted || printed }).catch(() => undefined)
    t.equal(printed, wanted, command)
  }
})

await t.test('README.md: a bgpd that is off is found by doctor, its commands start it, and it has the configuration that was written', async (t) => {
  await lab.stopService('c1', 'bgpd')
  await first.sh("sed -i 's/^bgpd=yes/bgpd=no/' /etc/frr/daemons")
  const { findings } = JSON.parse(await first.sh('ovs-evpnctl doctor --json || true')) as Diagnosis
  const found = findings.find(({ id }) => id === 'frr-down')
  t.equal(found?.what, 'bgpd does not answer vtysh: /etc/frr/daemons has bgpd=no')
  await first.sh(found?.mend.join('\n') ?? 'false')
  await eventually('doctor to find nothing', () => first.sh('ovs-evpnctl doctor || true'), (text) => text.startsWith('Nothing found'), 30_000)
  await eventually('no MAC that is kept only', () => first.sh('ovs-evpnctl macs'), (text) => text.includes(' ok\n') && !text.includes('stale'), 30_000)
})

// Of a flood that is too large for this lab: shown by the golden flows of the pipeline.
const LARGE = /reg1=0x10|group:4278190080/
const MORE = /in_port=[45]|load:0x5|reg1=0x4,|3221226482|resubmit\(,219\)|02:bb:00:00:00:01/
const shown = [...read('docs/pipeline.md').matchAll(/^ {4}((?:table=|priority=|group_id=).*)$/gm)].map(([, line = '']) => line).filter((line) => !LARGE.test(line))

async function inSwitch(): Promise<string[]> {
  const { stdout: flows } = await lab.exec('c1', ['ovs-ofctl', '-O', 'OpenFlow15', 'dump-flows', '--no-stats', 'br-int'])
  const { stdout: groups } = await lab.exec('c1', ['ovs-ofctl', '-O', 'OpenFlow15', 'dump-groups', 'br-int'])
  return (flows + groups).split('\n').map((line) => sorted(line.trim().replace(/^cookie=0x6576706e[0-9a-f]{8}, /, '').replace('hard_timeout=300, ', '')))
}

await t.test('docs/pipeline.md: the flows and groups shown are those of the switch', async (t) => {
  await first.sh(`ovs-vsctl add-port br-int vm2 -- set Interface vm2 type=internal external_ids:dynamic-routing-vni=1000 \\
    external_ids:evpn-addresses="02:00:00:01:01:02 10.0.1.12"`)
  const lines = shown.filter((line) => !MORE.test(line))
  t.ok(lines.length >= 20, `${lines.length} lines`)
  await waitFor('the flows', async () => {
    const there = await inSwitch()
    return lines.every((line) => there.includes(sorted(line))) || lines.filter((line) => !there.includes(sorted(line))).join('\n')
  }).catch((error: unknown) => t.fail(String(error)))
  const there = await inSwitch()
  for (const line of lines) t.ok(there.includes(sorted(line)), line)
})

await t.test('docs/pipeline.md: with a trunk, a MAC behind two VTEPs and a port that is learned from, too', async (t) => {
  const wanted = shown.filter((line) => MORE.test(line))
  t.ok(wanted.length >= 5, `${wanted.length} lines`)
  await first.sh(`
    ovs-vsctl --no-wait add-port br-int vm3 -- set Interface vm3 type=internal external_ids:dynamic-routing-vni=10:1000
    ovs-vsctl --no-wait add-port br-int vm4 -- set Interface vm4 type=internal external_ids:dynamic-routing-vni=1000 external_ids:evpn-addresses=unknown
    for i in $(seq 50); do ip link set dev vm4 address 02:bb:00:00:00:01 up 2>/dev/null && break; sleep 0.1; done
    bridge fdb append 00:00:00:00:00:00 dev vxlan-1000 dst 192.0.2.3 self permanent
    ip nexthop add id 1001 via 192.0.2.2 fdb
    ip nexthop add id 1002 via 192.0.2.3 fdb
    ip nexthop add id 1010 group 1001,100/1002,200 fdb
    bridge fdb add 02:00:00:00:02:01 dev vxlan-1000 nhid 1010 self extern_learn`)
  await waitFor('the flows', async () => {
    // The kernel's own neighbour discovery is a frame to learn from.
    await first.sh('ip link set dev vm4 down; ip link set dev vm4 up')
    const there = await inSwitch()
    const missing = wanted.filter((line) => !there.includes(sorted(line)))
    return missing.length === 0 || [...missing, 'of', ...there.filter((line) => line.startsWith('table=207') || line.startsWith('table=209'))].join('\n')
  }).catch((error: unknown) => t.fail(String(error)))
  const there = await inSwitch()
  for (const line of wanted) t.ok(there.includes(sorted(line)), line)
})

/** A group's buckets stand in the order in which members came. */
function sorted(line: string): string {
  const [head = '', ...buckets] = line.split(',bucket=')
  return [head, ...buckets.sort()].join(',bucket=')
}

await t.test('docs/architecture.md: what it names exists', (t) => {
  const named = [...read('docs/architecture.md').matchAll(/`((?:lib|bin|test|docs)\/[\w./-]*)`(?:\s+`(\w+)`)?/g)]
  t.ok(named.length > 30, `${named.length} names`)
  for (const [, file = '', name] of named) {
    t.ok(existsSync(path.join(ROOT, file)), `${file} exists`)
    if (name !== undefined) t.ok(new RegExp(`\\b${name}\\b`).test(read(file)), `${file} has ${name}`)
  }
  t.end()
})

await t.test('every page is named in README.md, and every link leads to a page and a heading', (t) => {
  const pages = ['README.md', ...readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]
  for (const page of pages.slice(1)) t.ok(readme.includes(`](${page})`), `README.md names ${page}`)
  for (const page of pages) {
    for (const [, file = '', heading] of read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)) {
      const target = file === '' ? page : path.join(path.dirname(page), file)
      t.ok(existsSync(path.join(ROOT, target)), `${page}: ${target} exists`)
      if (heading !== undefined && existsSync(path.join(ROOT, target))) t.ok(anchors(read(target)).includes(heading), `${page}: ${target} has #${heading}`)
    }
  }
  t.end()
})

/** What a page's headings are linked by. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => title.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'))
}
