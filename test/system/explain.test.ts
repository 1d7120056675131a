// `ovs-evpnctl explain` on a real chassis: each link of the chain is broken in turn, the verdict names it, and is gone when the
// link is mended.
import t, { type Test } from 'tap'
import type { Verdict } from '../../lib/cli/explain/verdict.js'
import { frrDir, vtepOf } from '../lab/host.js'
import { Lab } from '../lab/lab.js'
import { addressOf } from '../lab/spec.js'
import { Chassis } from './util/chassis.js'
import { eventually } from './util/eventually.js'
import { evpnctl } from './util/evpnctl.js'
import { Speaker } from './util/speaker.js'

// FRR takes seconds to notice what is broken, and each question is a process.
t.setTimeout(600_000)

const VNI = 10
const lab = await Lab.up({ chassis: 1, linux: 1, vnis: [VNI] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
await lab.startDaemon('c1')
const vtySocket = frrDir(vtepOf(lab.plan, 'c1'))

const onHost = (vtep: string) => lab.plan.workloads.find((workload) => workload.vtep === vtep)
const [here, there] = [onHost('c1'), onHost('l1')]
if (here === undefined || there === undefined) throw new Error('the lab has workloads on both VTEPs')
const HERE_IP = addressOf(here, 4) ?? ''
/** A remote MAC whose rows are written by hand, in FRR's form. */
const BY_HAND = '02:aa:00:00:00:01'
const VTEP = '192.0.2.2'

type Seen = { readonly kind: string, readonly link?: string, readonly what: string, readonly todo: readonly string[] }

/** The verdict; `unknown` is the sentence of exit code 2. */
async function explain(address: string, vni = VNI): Promise<Seen> {
  const { code, stdout, stderr } = await evpnctl(lab, 'c1', ['explain', String(vni), address, '--json', '--vty-socket', vtySocket], { allowFailure: true })
  if (code === 2) return { kind: 'unknown', what: stderr, todo: [] }
  if (code !== 0) throw new Error(`explain ended with ${code}: ${stderr}`)
  return (JSON.parse(stdout) as { readonly verdict: Seen }).verdict
}

interface Break {
  /** The verdict that has to come. */
  readonly kind: Verdict['kind']
  readonly what: string
  readonly address: string
  readonly breakIt: () => Promise<unknown>
  readonly mendIt: () => Promise<unknown>
  /** In the words of the verdict. */
  readonly says: RegExp
  /** What it is again afterwards. */
  readonly after?: Verdict['kind']
}

async function provoke(t: Test, { kind, address, breakIt, mendIt, says, after = 'ok' }: Break): Promise<void> {
  await breakIt()
  try {
    const seen = await eventually(`the verdict ${kind} on ${address}`, () => explain(address), (verdict) => verdict.kind === kind && says.test(verdict.what), 30_000)
    t.match(seen.what, says)
    t.comment(seen.what)
  } finally {
    await mendIt()
  }
  await eventually(`the verdict ${after} on ${address} after mending`, () => explain(address), (verdict) => verdict.kind === after, 30_000)
}

const ip = (...words: readonly string[]): Promise<string> => c1.run(['ip', ...words])
const report = (isOn: boolean): Promise<void> => isOn ? c1.set('Bridge br-int', { 'evpn-audit': 'report' }) : c1.unset('Bridge br-int', 'evpn-audit')
const ofctl = (...args: readonly string[]): Promise<string> => c1.ofctl(...args)
const toHere = `table=202,priority=400,metadata=${VNI},dl_dst=${here.mac}`
const toByHand = `table=202,priority=300,metadata=${VNI},dl_dst=${BY_HAND}`

/** The daemon has to have heard of it before somebody interferes. */
async function reportOnly(): Promise<void> {
  await report(true)
  await eventually('evpn-audit=report to be in force', () => c1.run(['ovs-appctl', '-t', 'ovs-evpnd', 'coverage/show']), () => true)
}

const byHand = (): Promise<void> => speaker.mac(VNI, BY_HAND, VTEP)
const noByHand = (): Promise<void> => speaker.noMac(VNI, BY_HAND)

await t.test('what is in order is said to be, from both sides and by IP', async (t) => {
  for (const address of [here.mac, HERE_IP, there.mac]) {
    const seen = await eventually(`the verdict ok on ${address}`, () => explain(address), ({ kind }) => kind === 'ok', 30_000)
    t.match(seen.what, /every link is in order/)
  }
  const screen = (await evpnctl(lab, 'c1', ['explain', String(VNI), there.mac, '--vty-socket', vtySocket])).stdout
  t.comment(screen)
  t.match(screen, /bgpd .*1 of 1 sessions stand\n.*route from 192\.0\.2\.2, nexthop 192\.0\.2\.2, best/)
  t.match(screen, /zebra .*remote, VTEP 192\.0\.2\.2/)
  t.match(screen, /FDB of vxlan-10: dst 192\.0\.2\.2 .*EXT_LEARNED, \d+ s old/)
  t.match(screen, /FORWARD +\d+ packets, +\d+ bytes {2}table=202/)
  t.match(screen, /underlay {2}192\.0\.2\.2: on the link, dev /)
})

await t.test('what nobody knows is a sentence with the nearest known one, and exit code 2', async (t) => {
  const wrong = `${there.mac.slice(0, -1)}9`
  const { code, stderr } = await evpnctl(lab, 'c1', ['explain', String(VNI), wrong, '--vty-socket', vtySocket], { allowFailure: true })
  t.equal(code, 2)
  t.match(stderr, `nobody knows ${wrong} in VNI ${VNI}; did you mean `)
  t.match(stderr, there.mac)
})

const LOCAL: readonly Break[] = [
  {
    kind: 'port_down', what: 'the port is down', address: here.mac, says: /its port c1-10-a is down/,
    breakIt: () => ip('link', 'set', here.name, 'down'), mendIt: () => ip('link', 'set', here.name, 'up')
  },
  {
    kind: 'port_missing', what: 'the port has no device', address: '02:aa:00:00:00:77', says: /its port nowhere is not on the switch/, after: 'unknown',
    breakIt: async () => {
      await c1.vsctl('--no-wait', 'add-port', 'br-int', 'nowhere')
      await c1.set('Interface nowhere', { 'dynamic-routing-vni': String(VNI), 'evpn-addresses': '02:aa:00:00:00:77' })
    },
    mendIt: () => c1.vsctl('--no-wait', 'del-port', 'br-int', 'nowhere')
  },
  {
    kind: 'not_announced', what: 'announcing is off', address: HERE_IP, says: /not announced \(local\): dynamic-routing-advertise is false/,
    breakIt: () => c1.set(`Interface ${here.name}`, { 'dynamic-routing-advertise': 'false' }), mendIt: () => c1.unset(`Interface ${here.name}`, 'dynamic-routing-advertise')
  },
  {
    kind: 'not_announced', what: 'another chassis announces it', address: '02:aa:00:00:00:88', says: /not announced \(waiting\): another chassis announces this MAC/, after: 'unknown',
    breakIt: async () => {
      await speaker.mac(VNI, '02:aa:00:00:00:88', VTEP)
      await c1.set('Bridge br-int', { [`evpn-addresses-${VNI}`]: '02:aa:00:00:00:88' })
    },
    mendIt: async () => {
      await c1.unset('Bridge br-int', `evpn-addresses-${VNI}`)
      await speaker.noMac(VNI, '02:aa:00:00:00:88')
    }
  },
  {
    kind: 'row_missing', what: 'our FDB row was deleted', address: here.mac, says: /no row of ours for it on lo-10/,
    breakIt: async () => {
      await reportOnly()
      await c1.run(['bridge', 'fdb', 'del', here.mac, 'dev', 'lo-10', 'master'])
    },
    mendIt: () => report(false)
  },
  {
    kind: 'neighbour_missing', what: 'our neighbour was deleted', address: HERE_IP, says: /no neighbour of ours for 10\.0\.1\.11 on br-10/,
    breakIt: async () => {
      await reportOnly()
      await ip('neigh', 'del', HERE_IP, 'dev', 'br-10')
    },
    mendIt: () => report(false)
  },
  {
    kind: 'vni_not_in_frr', what: 'advertise-all-vni is missing', address: here.mac, says: /does not know VNI 10: advertise-all-vni is missing/,
    breakIt: () => lab.vtysh('c1', 'configure terminal', 'router bgp 65000', 'address-family l2vpn evpn', 'no advertise-all-vni'),
    mendIt: () => lab.vtysh('c1', 'configure terminal', 'router bgp 65000', 'address-family l2vpn evpn', 'advertise-all-vni')
  },
  {
    kind: 'flow_missing', what: 'a flow was deleted', address: here.mac, says: /the switch lacks the flow table=202, priority=400/,
    breakIt: async () => {
      await reportOnly()
      await ofctl('--strict', 'del-flows', 'br-int', toHere)
    },
    mendIt: () => report(false)
  },
  {
    kind: 'flow_different', what: 'a flow was changed', address: here.mac, says: /somebody changed our flow table=202, priority=400.*does now: drop/,
    breakIt: async () => {
      await reportOnly()
      await ofctl('--strict', 'mod-flows', 'br-int', `${toHere},actions=drop`)
    },
    mendIt: () => report(false)
  },
  {
    kind: 'daemon_blind', what: 'ovs-vswitchd is gone', address: here.mac, says: /cannot program the switch: not connected/,
    breakIt: () => lab.stopService('c1', 'ovs-vswitchd', 'SIGKILL'), mendIt: () => lab.startService('c1', 'ovs-vswitchd')
  },
  {
    kind: 'no_peer', what: 'the other end of BGP is gone', address: here.mac, says: /no BGP session stands/,
    breakIt: () => lab.stopService('l1', 'bgpd'), mendIt: () => lab.startService('l1', 'bgpd')
  },
  {
    kind: 'bgpd_down', what: 'bgpd is gone', address: here.mac, says: /bgpd does not answer vtysh/,
    breakIt: () => lab.stopService('c1', 'bgpd'), mendIt: () => lab.startService('c1', 'bgpd')
  }
]

for (const one of LOCAL) await t.test(`a local address: ${one.what} -> ${one.kind}`, (t) => provoke(t, one))

const [ABSENT, NOWHERE] = ['192.0.2.99', '198.51.100.9']

const REMOTE: readonly Break[] = [
  {
    kind: 'flow_foreign', what: 'somebody else\'s flow stands in the place of ours', address: BY_HAND, says: /somebody else's flow stands in the place of ours/, after: 'unknown',
    breakIt: async () => {
      await ofctl('add-flow', 'br-int', `${toByHand},actions=drop`)
      await byHand()
    },
    mendIt: async () => {
      await ofctl('--strict', 'del-flows', 'br-int', toByHand)
      await noByHand()
    }
  },
  {
    kind: 'local_in_bridge', what: 'the kernel bridge has it on another port', address: BY_HAND, says: /the kernel's bridge has 02:aa:00:00:00:01 on other0/, after: 'unknown',
    breakIt: async () => {
      await byHand()
      await c1.run(['ip', '-batch', '-'], { input: 'link add name other0 type veth peer name other1\nlink set other0 master br-10\nlink set other0 addrgenmode none\nlink set other0 up\n' })
      await c1.run(['bridge', 'fdb', 'replace', BY_HAND, 'dev', 'other0', 'master', 'static'])
    },
    mendIt: async () => {
      await ip('link', 'del', 'other0')
      await c1.run(['bridge', 'fdb', 'del', BY_HAND, 'dev', 'vxlan-10', 'self'])
    }
  },
  {
    kind: 'not_a_speakers_row', what: 'a row that no routing daemon wrote', address: BY_HAND, says: /was not written by a routing daemon/, after: 'unknown',
    breakIt: () => c1.run(['bridge', 'fdb', 'add', BY_HAND, 'dev', 'vxlan-10', 'dst', VTEP, 'self', 'static']),
    mendIt: () => c1.run(['bridge', 'fdb', 'del', BY_HAND, 'dev', 'vxlan-10', 'self'])
  },
  {
    kind: 'ip_not_in_kernel', what: 'a neighbour that no routing daemon wrote', address: '10.0.9.9', says: /the routing daemon has written no neighbour 10\.0\.9\.9 on br-10/, after: 'unknown',
    breakIt: () => ip('neigh', 'replace', '10.0.9.9', 'lladdr', there.mac, 'dev', 'br-10', 'nud', 'permanent'),
    mendIt: () => ip('neigh', 'del', '10.0.9.9', 'dev', 'br-10')
  },
  {
    kind: 'nexthop_empty', what: 'a nexthop that leads to no VTEP', address: BY_HAND, says: /behind nexthop 19, which leads to no VTEP/, after: 'unknown',
    breakIt: async () => {
      await speaker.nexthops({ 9: '239.1.1.1' })
      await speaker.nexthopGroup(19, { 9: 1 })
      await speaker.multihomed(VNI, [BY_HAND], 19)
    },
    mendIt: async () => {
      await speaker.noNexthop(19)
      await speaker.noNexthop(9)
      await c1.run(['bridge', 'fdb', 'del', BY_HAND, 'dev', 'vxlan-10', 'master'], { allowFailure: true })
    }
  },
  {
    kind: 'vtep_unusable', what: 'a UDP port that is not ours', address: BY_HAND, says: /no packet can go to its VTEP 192\.0\.2\.2: UDP port 4790 is not in ovn-evpn-vxlan-ports/, after: 'unknown',
    breakIt: () => speaker.mac(VNI, BY_HAND, VTEP, 'vxlan-10', 'port', '4790'), mendIt: noByHand
  },
  {
    kind: 'no_route', what: 'no route to the VTEP', address: BY_HAND, says: /has no route to the VTEP 198\.51\.100\.9/, after: 'unknown',
    breakIt: () => speaker.mac(VNI, BY_HAND, NOWHERE), mendIt: noByHand
  },
  {
    kind: 'no_neighbour', what: 'nobody answers for the VTEP', address: BY_HAND, says: /nobody answers for 192\.0\.2\.99 on .*, the way to the VTEP 192\.0\.2\.99/, after: 'unknown',
    breakIt: async () => {
      await speaker.mac(VNI, BY_HAND, ABSENT)
      await c1.run(['ping', '-c', '1', '-W', '5', ABSENT], { allowFailure: true })
    },
    mendIt: noByHand
  },
  {
    kind: 'zebra_down', what: 'zebra hangs while a MAC is announced', address: '02:00:00:01:02:07', says: /zebra did not answer within 5 s/,
    breakIt: async () => {
      await signalZebra('STOP')
      await lab.addWorkload({ name: 'l1-10-z', vtep: 'l1', vni: VNI, mac: '02:00:00:01:02:07', addresses: ['10.0.1.27/16'] })
    },
    mendIt: () => signalZebra('CONT')
  },
  {
    kind: 'stale', what: 'the routing daemon is gone', address: there.mac, says: /it stands only because it is kept: withdrawn by a routing daemon that was gone/,
    breakIt: async () => {
      await c1.set('Bridge br-int', { 'evpn-speaker': `${vtySocket}/zserv.api,${vtySocket}/bgpd.vty` })
      await eventually('the daemon to know its speaker', () => explain(there.mac), ({ kind }) => kind === 'ok')
      await lab.stopService('c1', 'bgpd', 'SIGKILL')
    },
    mendIt: () => lab.startService('c1', 'bgpd')
  },
  {
    kind: 'devices', what: 'the vxlan device is gone', address: BY_HAND, says: /the VNI's kernel devices are not in order.*vxlan device vxlan-10 does not exist/, after: 'unknown',
    breakIt: () => ip('link', 'del', 'vxlan-10'),
    mendIt: async () => {
      await lab.removeVniDevices('c1', VNI).catch(() => undefined)
      await c1.run(['ip', '-batch', '-', '-force'], { input: 'link del lo-10\nlink del br-10\n', allowFailure: true })
      await lab.addVniDevices('c1', VNI)
    }
  }
]

async function signalZebra(name: 'STOP' | 'CONT'): Promise<void> {
  const pid = (await c1.run(['cat', `${vtySocket}/zebra.pid`])).trim()
  await c1.run(['kill', `-${name}`, pid])
}

for (const one of REMOTE) await t.test(`a remote address: ${one.what} -> ${one.kind}`, (t) => provoke(t, one))
