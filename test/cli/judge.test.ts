// The judge of `ovs-evpnctl explain`: one case for each verdict, made from a chain in order by breaking one link.
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Chain } from '../../lib/cli/explain/chain.js'
import { judge } from '../../lib/cli/explain/judge.js'
import { explanationJson, formatExplanation } from '../../lib/cli/explain/screen.js'
import { LINK_OF, type Verdict } from '../../lib/cli/explain/verdict.js'
import { wordsOf } from '../../lib/cli/explain/words.js'
import { but, FORWARD, IP, LOCAL, MAC, REMOTE, SCREENS, UNKNOWN } from './chains.js'

const DOC = readFileSync('docs/troubleshooting.md', 'utf8')

const { daemon: { remote, local, vteps, vni } } = { daemon: { ...REMOTE.daemon, ...LOCAL.daemon, remote: REMOTE.daemon.remote, vteps: REMOTE.daemon.vteps } }
if (remote === undefined || local === undefined) throw new Error('the chains have both')
const [vtep] = vteps
const [way] = REMOTE.underlay
const [deviceRow] = REMOTE.kernel.deviceRows
const SILENT = { kind: 'silent', why: 'vtysh is not installed' } as const
const OTHER_SPEAKER = but(REMOTE, 'daemon', { speaker: [] })
const GROUP = { group: 1073800000, nexthop: 7, buckets: 2, state: 'installed', packets: 3 } as const
const MULTIHOMED = but(REMOTE, 'daemon', { group: GROUP, remote: { ...remote, nexthop: 7, paths: [] } })
const NO_SESSION = { peers: [{ peer: '192.0.2.2', state: 'Active' }] }
const ALL_BUT_PATH = { ...UNKNOWN, bgpd: REMOTE.bgpd }

interface Case {
  readonly what: string
  readonly chain: Chain
  readonly verdict: Partial<Verdict> & Pick<Verdict, 'kind'>
}

const CASES: readonly Case[] = [
  { what: 'a remote address in order', chain: REMOTE, verdict: { kind: 'ok', side: 'remote', notes: [] } },
  { what: 'a local address in order', chain: LOCAL, verdict: { kind: 'ok', side: 'local' } },
  { what: 'no FRR that answers: another speaker may be there', chain: { ...LOCAL, zebra: SILENT, bgpd: SILENT }, verdict: { kind: 'ok' } },
  { what: 'rows by another speaker while FRR knows nothing', chain: { ...OTHER_SPEAKER, zebra: UNKNOWN.zebra, bgpd: UNKNOWN.bgpd }, verdict: { kind: 'ok' } },
  { what: 'rows by another speaker beside a zebra without bgpd', chain: { ...OTHER_SPEAKER, zebra: UNKNOWN.zebra, bgpd: SILENT }, verdict: { kind: 'ok' } },
  { what: 'a row that a killed zebra left', chain: { ...REMOTE, zebra: UNKNOWN.zebra, bgpd: UNKNOWN.bgpd }, verdict: { kind: 'unknown_to_zebra', mac: MAC, device: 'vxlan-10' } },
  { what: 'a row of which bgpd knows, and zebra does not', chain: { ...REMOTE, zebra: UNKNOWN.zebra }, verdict: { kind: 'unknown_to_zebra' } },
  { what: 'a row of a MAC that zebra has for local', chain: { ...REMOTE, zebra: LOCAL.zebra }, verdict: { kind: 'unknown_to_zebra', type: 'local' } },
  { what: 'a zebra that does not have the VNI says nothing of its rows', chain: { ...REMOTE, zebra: { kind: 'said', knowsVni: false } }, verdict: { kind: 'ok' } },
  { what: 'a route that zebra has, and bgpd has under an IP only', chain: { ...REMOTE, bgpd: UNKNOWN.bgpd }, verdict: { kind: 'ok' } },
  { what: 'a remote address while zebra hangs', chain: { ...REMOTE, zebra: SILENT }, verdict: { kind: 'zebra_silent', why: SILENT.why } },
  { what: 'a remote address while bgpd hangs', chain: { ...REMOTE, bgpd: SILENT }, verdict: { kind: 'bgpd_silent', why: SILENT.why, isOff: false } },
  { what: 'a remote address while bgpd is left off', chain: { ...REMOTE, bgpd: { ...SILENT, isOff: true } }, verdict: { kind: 'bgpd_silent', isOff: true } },
  { what: 'what is broken comes before what will matter', chain: { ...REMOTE, zebra: SILENT, underlay: [{ vtep: '192.0.2.2', by: 'kernel' }] }, verdict: { kind: 'no_route' } },
  { what: 'nobody knows it', chain: UNKNOWN, verdict: { kind: 'unknown', address: MAC, vni: 10, nearest: ['02:00:00:00:00:03'] } },
  { what: 'nobody knows it, and bgpd hears nobody', chain: but(UNKNOWN, 'bgpd', NO_SESSION), verdict: { kind: 'unknown', why: 'bgpd has no session with any peer' } },
  { what: 'the daemon reads the kernel still', chain: but(LOCAL, 'daemon', { netlink: 'reading the kernel\'s tables' }), verdict: { kind: 'daemon_blind', session: 'netlink' } },
  { what: 'no OVSDB', chain: but(REMOTE, 'daemon', { ovsdb: 'not connected to unix:/x' }), verdict: { kind: 'daemon_blind', session: 'ovsdb' } },
  { what: 'no OpenFlow', chain: but(REMOTE, 'daemon', { openflow: 'not connected: ENOENT' }), verdict: { kind: 'daemon_blind', session: 'openflow' } },
  { what: 'the switch broke off while it was asked', chain: but(REMOTE, 'daemon', { flows: [], switch_problem: 'lost' }), verdict: { kind: 'daemon_blind', session: 'openflow', status: 'lost' } },
  {
    what: 'a port that the switch has not', verdict: { kind: 'port_missing', port: 'vm1', reason: 'no such device' },
    chain: but(LOCAL, 'daemon', { port: { port: 'vm1', vni: 10, addresses: '', unknown: false, advertise: true, state: 'waiting', reason: 'no such device' } })
  },
  { what: 'a port that is down', chain: but(LOCAL, 'kernel', { port: { name: 'vm1', isUp: false, hasCarrier: false } }), verdict: { kind: 'port_down', port: 'vm1', isUp: false } },
  { what: 'a port without carrier', chain: but(LOCAL, 'kernel', { port: { name: 'vm1', isUp: true, hasCarrier: false } }), verdict: { kind: 'port_down', isUp: true } },
  {
    what: 'a claim that waits, though the kernel has no row and BGP no route: they follow from it', verdict: { kind: 'not_announced', state: 'waiting' },
    chain: { ...but(LOCAL, 'daemon', { local: { ...local, state: 'waiting', reason: 'another chassis announces this MAC' } }), kernel: UNKNOWN.kernel, bgpd: UNKNOWN.bgpd }
  },
  { what: 'our row is not there', chain: { ...LOCAL, kernel: UNKNOWN.kernel }, verdict: { kind: 'row_missing', device: 'lo-10', mac: MAC } },
  {
    what: 'our neighbour is not there', verdict: { kind: 'neighbour_missing', device: 'br-10', ip: IP },
    chain: but({ ...LOCAL, ip: IP, address: IP }, 'kernel', { neighbours: { [IP]: null } })
  },
  { what: 'zebra without the VNI', chain: { ...LOCAL, zebra: { kind: 'said', knowsVni: false } }, verdict: { kind: 'vni_not_in_frr', who: 'zebra', as: 65000 } },
  { what: 'bgpd without the VNI', chain: but(LOCAL, 'bgpd', { knowsVni: false }), verdict: { kind: 'vni_not_in_frr', who: 'bgpd' } },
  { what: 'zebra does not take the row', chain: { ...LOCAL, zebra: { kind: 'said', knowsVni: true } }, verdict: { kind: 'zebra_ignores', mac: MAC } },
  { what: 'zebra takes it for a remote one', chain: { ...LOCAL, zebra: REMOTE.zebra }, verdict: { kind: 'zebra_ignores', type: 'remote' } },
  { what: 'bgpd does not announce it', chain: but(LOCAL, 'bgpd', { paths: [] }), verdict: { kind: 'not_in_bgp', mac: MAC } },
  { what: 'zebra answers and bgpd does not', chain: { ...LOCAL, bgpd: { kind: 'silent', why: 'bgpd does not answer vtysh' } }, verdict: { kind: 'bgpd_down' } },
  {
    what: 'bgpd is gone, and zebra has forgotten the VNI with it', verdict: { kind: 'bgpd_down', isOff: false },
    chain: { ...LOCAL, zebra: { kind: 'said', knowsVni: false }, bgpd: { kind: 'silent', why: 'bgpd does not answer vtysh' } }
  },
  { what: 'bgpd is gone, because FRR does not start it', verdict: { kind: 'bgpd_down', isOff: true }, chain: { ...LOCAL, bgpd: { kind: 'silent', why: 'bgpd does not answer vtysh', isOff: true } } },
  { what: 'bgpd answers and zebra does not', chain: { ...LOCAL, zebra: SILENT }, verdict: { kind: 'zebra_down' } },
  { what: 'the same of a remote address that did not get further', chain: { ...ALL_BUT_PATH, zebra: SILENT }, verdict: { kind: 'zebra_down' } },
  { what: 'no session', chain: but(LOCAL, 'bgpd', NO_SESSION), verdict: { kind: 'no_peer', peers: NO_SESSION.peers } },
  { what: 'a route that is not used', chain: but(UNKNOWN, 'bgpd', { paths: [{ nexthop: '192.0.2.2', isValid: false, isBest: false, isLocal: false }] }), verdict: { kind: 'path_unusable' } },
  {
    what: 'frozen by duplicate-address detection', verdict: { kind: 'duplicate', mac: MAC, vni: 10 },
    chain: { ...ALL_BUT_PATH, zebra: { kind: 'said', knowsVni: true, mac: { type: 'remote', isDuplicate: true, ips: [] } } }
  },
  { what: 'in bgpd only', chain: ALL_BUT_PATH, verdict: { kind: 'not_in_zebra', nexthop: '192.0.2.2' } },
  { what: 'in bgpd only: zebra has no VNI', chain: { ...ALL_BUT_PATH, zebra: { kind: 'said', knowsVni: false } }, verdict: { kind: 'vni_not_in_frr', who: 'zebra' } },
  { what: 'no devices', chain: but(UNKNOWN, 'daemon', { vni: { ...vni, problems: ['vxlan device vxlan-10 does not exist'] } }), verdict: { kind: 'devices' } },
  { what: 'in zebra, not in the kernel', chain: { ...ALL_BUT_PATH, zebra: REMOTE.zebra }, verdict: { kind: 'not_in_kernel', device: 'vxlan-10', vtep: '192.0.2.2' } },
  {
    what: 'the bridge has it elsewhere', verdict: { kind: 'local_in_bridge', device: 'tap0' },
    chain: { ...UNKNOWN, kernel: { ...REMOTE.kernel, bridgeRow: { dev: 'tap0', state: ['REACHABLE'], flags: [] } } }
  },
  {
    what: 'a row that no speaker wrote', verdict: { kind: 'not_a_speakers_row', device: 'vxlan-10', vtep: '192.0.2.2' },
    chain: { ...UNKNOWN, kernel: { deviceRows: [{ ...deviceRow, dev: 'vxlan-10', state: ['NOARP'], flags: ['SELF'] }], neighbours: {} } }
  },
  { what: 'a row that the daemon has missed', chain: { ...UNKNOWN, kernel: REMOTE.kernel }, verdict: { kind: 'not_in_daemon' } },
  { what: 'an IP without a neighbour', chain: but({ ...REMOTE, address: IP, ip: IP }, 'kernel', { neighbours: { [IP]: null } }), verdict: { kind: 'ip_not_in_kernel', ip: IP, device: 'br-10' } },
  { what: 'kept after its speaker went', chain: but(REMOTE, 'daemon', { remote: { ...remote, state: 'stale', reason: 'kept' } }), verdict: { kind: 'stale', reason: 'kept' } },
  { what: 'a nexthop that leads nowhere', chain: but(REMOTE, 'daemon', { vteps: [], remote: { ...remote, nexthop: 7, paths: [], state: 'unusable' } }), verdict: { kind: 'nexthop_empty', nexthop: 7 } },
  {
    what: 'a VTEP that cannot be used', verdict: { kind: 'vtep_unusable', vtep: '192.0.2.2', reason: 'no local IPv4 address' },
    chain: but(REMOTE, 'daemon', { vteps: [{ ip: '192.0.2.2', port: 4789, weight: 1, reason: 'no local IPv4 address' }] })
  },
  {
    what: 'one of two VTEPs that cannot be used is worth a note', verdict: { kind: 'ok', notes: ['of several VTEPs, 192.0.2.9 is not usable: no way'] },
    chain: but(REMOTE, 'daemon', { vteps: [...(vtep === undefined ? [] : [vtep]), { ip: '192.0.2.9', port: 4789, weight: 1, reason: 'no way' }] })
  },
  { what: 'a flow that is not there', chain: but(REMOTE, 'daemon', { flows: [{ ...FORWARD, state: 'missing', reason: 'refused' }] }), verdict: { kind: 'flow_missing' } },
  { what: 'a foreign flow in its place', chain: but(REMOTE, 'daemon', { flows: [{ ...FORWARD, state: 'foreign' }] }), verdict: { kind: 'flow_foreign' } },
  { what: 'a flow that somebody changed', chain: but(LOCAL, 'daemon', { flows: [{ ...FORWARD, state: 'different' }] }), verdict: { kind: 'flow_different' } },
  ...(['missing', 'foreign', 'different'] as const).map((state): Case => ({
    what: `a group that is ${state}, and a flow that goes with it`, verdict: { kind: `group_${state}`, group: { ...GROUP, state } },
    chain: but(MULTIHOMED, 'daemon', { group: { ...GROUP, state }, flows: [{ ...FORWARD, state: 'missing' }] })
  })),
  { what: 'a group in order', chain: MULTIHOMED, verdict: { kind: 'ok' } },
  { what: 'no route', chain: { ...REMOTE, underlay: [{ vtep: '192.0.2.2', by: 'kernel' }] }, verdict: { kind: 'no_route', vtep: '192.0.2.2', paths: 1 } },
  {
    what: 'nobody answers on the way', verdict: { kind: 'no_neighbour', vtep: '192.0.2.2', hop: '192.0.2.254', device: 'eth0' },
    chain: { ...REMOTE, underlay: [{ vtep: '192.0.2.2', by: 'kernel', route: { dev: 'eth0', gateway: '192.0.2.254' }, neighbour: { ip: '192.0.2.254', state: 'failed', words: 'FAILED' } }] }
  },
  {
    what: 'the way was not resolved lately: nothing was sent', verdict: { kind: 'ok', notes: ['192.0.2.2 is not resolved: nothing was sent there lately'] },
    chain: { ...REMOTE, underlay: [{ ...way, vtep: '192.0.2.2', by: 'ovs-vswitchd', neighbour: { ip: '192.0.2.2', state: 'unknown', words: '' } }] }
  },
  {
    what: 'the way is not resolved while packets go there', verdict: { kind: 'no_neighbour' },
    chain: {
      ...but(REMOTE, 'daemon', { flows: [{ ...FORWARD, idle_s: 1 }] }),
      underlay: [{ ...way, vtep: '192.0.2.2', by: 'ovs-vswitchd', neighbour: { ip: '192.0.2.2', state: 'unknown', words: '' } }]
    }
  },
  {
    what: 'somebody who may not ask ovs-vswitchd is told so, and the rest is judged', verdict: { kind: 'ok', notes: ['the way to 192.0.2.2 was not looked at: use root'] },
    chain: { ...REMOTE, underlay: [{ vtep: '192.0.2.2', by: 'ovs-vswitchd', problem: 'use root' }] }
  }
]

for (const { what, chain, verdict } of CASES) {
  await t.test(what, (t) => {
    const found = judge(chain)
    t.match(found, verdict)
    const { what: words, todo } = wordsOf(found)
    t.not(words, '')
    if (found.kind !== 'ok' && found.kind !== 'unknown') {
      t.ok(todo.length > 0, 'what is broken comes with something to do')
      t.match(formatExplanation(chain, found), new RegExp(`^! ${LINK_OF[found.kind]} `, 'm'), 'the broken link is marked on the screen')
      const severity = DOC.includes(`| \`${found.kind}\` | ${LINK_OF[found.kind]} | warning: `) ? 'warning' : 'error'
      t.match(formatExplanation(chain, found), new RegExp(`^${severity === 'warning' ? 'WARNING' : 'BROKEN'} at ${LINK_OF[found.kind]}: `, 'm'), 'and how bad it is')
      t.match(JSON.parse(explanationJson(chain, found)), { verdict: { kind: found.kind, severity, link: LINK_OF[found.kind], what: words } })
    }
    t.end()
  })
}

await t.test('a bgpd that FRR does not start is not mended by a restart alone', (t) => {
  const todo = (isOff: boolean): readonly string[] => wordsOf({ kind: 'bgpd_down', why: '', isOff }).todo
  t.strictSame(todo(false), ['systemctl restart frr'])
  t.strictSame(todo(true), ["sed -i 's/^bgpd=no/bgpd=yes/' /etc/frr/daemons", 'systemctl restart frr'])
  t.end()
})

await t.test('a name from outside is one word of each command to type', (t) => {
  const names = /"(?:vm1|lo-10|vxlan-10|br-10|br-int|eth0)"/g
  const texts = CASES.map(({ chain }) => JSON.stringify(judge(chain))).filter((text) => text.replaceAll(names, '') !== text)
  t.ok(texts.length > 10, `${texts.length} verdicts name a device`)
  let commands = 0
  for (const text of texts) {
    for (const line of wordsOf(JSON.parse(text.replaceAll(names, '"br;reboot"')) as Verdict).todo) {
      commands += Number(line.includes("'br;reboot'"))
      t.notMatch(line.replaceAll(/'[^']*'/g, ''), /[;$`]/, line)
    }
  }
  t.ok(commands > 10, `${commands} commands have the name`)
  t.end()
})

await t.test('each kind of verdict has a case', (t) => {
  const seen = new Set<string>(CASES.map(({ verdict }) => verdict.kind))
  t.strictSame(['ok', 'unknown', ...Object.keys(LINK_OF)].filter((kind) => !seen.has(kind)), [])
  t.end()
})

for (const [name, chain] of Object.entries(SCREENS)) {
  await t.test(`the screen of ${name} is as fixtures/cli and docs/troubleshooting.md show it`, (t) => {
    const screen = formatExplanation(chain, judge(chain))
    t.equal(screen, readFileSync(`fixtures/cli/explain-${name}.txt`, 'utf8'))
    const block = screen.split('\n').map((line) => (line === '' ? '' : `    ${line}`)).join('\n')
    if (name !== 'local') t.match(DOC, block, 'the document has the same screen')
    t.end()
  })
}

await t.test('the document has each verdict with its link', (t) => {
  const rows = [...DOC.matchAll(/^\| `([a-z_]+)` \| ([a-z]+) \|/gm)].map(([, kind, link]) => [kind, link])
  t.strictSame(rows.sort(), Object.entries(LINK_OF).sort())
  t.end()
})
