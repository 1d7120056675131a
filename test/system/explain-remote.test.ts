// `ovs-evpnctl explain` of an address behind a VTEP, on a real chassis: each link from BGP to the underlay is broken in turn, the
// verdict names it, and is gone when the link is mended.
import t from 'tap'
import { TRAMPOLINE_GROUP } from '../../lib/pipeline/slots.js'
import { frrDir, vtepOf } from '../lab/host.js'
import { Lab } from '../lab/lab.js'
import { PATIENCE } from '../lab/wait.js'
import { Chassis } from './util/chassis.js'
import { evpnctl } from './util/evpnctl.js'
import { provoke, repairs, verdictOn, type Break } from './util/explain.js'
import { Speaker } from './util/speaker.js'

// FRR takes seconds to notice what is broken, and each question is a process.
t.setTimeout(280_000 * PATIENCE)

const VNI = 10
const lab = await Lab.up({ chassis: 1, linux: 1, vnis: [VNI] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
const vtySocket = frrDir(vtepOf(lab.plan, 'c1'))
// What it withdraws in dying is kept only of a routing daemon that was seen to live.
await c1.set('Bridge br-int', { 'evpn-speaker': `${vtySocket}/zserv.api,${vtySocket}/bgpd.vty` })
await lab.startDaemon('c1')

const there = lab.plan.workloads.find(({ vtep }) => vtep === 'l1')
if (there === undefined) throw new Error('the Linux VTEP has a workload')
/** A remote MAC whose rows are written by hand, in FRR's form. */
const BY_HAND = '02:aa:00:00:00:01'
const VTEP = '192.0.2.2'
const TO_BY_HAND = `table=202,priority=300,metadata=${VNI},dl_dst=${BY_HAND}`

const ip = (...words: readonly string[]): Promise<string> => c1.run(['ip', ...words])
const byHand = (): Promise<void> => speaker.mac(VNI, BY_HAND, VTEP)
const noByHand = (): Promise<void> => speaker.noMac(VNI, BY_HAND)

await t.test('what is in order is said to be, with what everybody knows of it', async (t) => {
  t.match((await verdictOn(lab, there.mac, 'ok')).what, /every link is in order/)
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

await t.test('who may not ask ovs-vswitchd or FRR is told so, and the rest is explained', async (t) => {
  const ctl = (await c1.run(['sh', '-c', 'echo $OVS_RUNDIR/ovs-evpnd.$(cat $OVS_RUNDIR/ovs-evpnd.pid).ctl'])).trim()
  await c1.run(['chmod', '666', ctl])
  // The user nobody may not read the program: it is loaded before the user changes.
  const program = new URL('../../lib/cli/run.js', import.meta.url).href
  const script = `import { runCli } from ${JSON.stringify(program)}
    process.setgroups([]); process.setgid(65534); process.setuid(65534)
    const print = text => process.stdout.write(text)
    process.exitCode = await runCli(${JSON.stringify(['explain', String(VNI), there.mac, '-t', ctl, '--vty-socket', vtySocket])}, process.env, '', { print, complain: print })`
  const screen = await c1.run([process.execPath, '--input-type=module', '-e', script])
  t.match(screen, /FDB of vxlan-10: dst 192\.0\.2\.2/, 'the kernel answers everybody')
  t.match(screen, /^OK: /m)
  t.match(screen, /FRR was not asked: not allowed to ask zebra by vtysh; use root/)
  if (lab.plan.datapath === 'netdev') t.match(screen, /the way to 192\.0\.2\.2 was not looked at: not allowed to ask ovs-vswitchd \(.*\); use root/)
})

const [ABSENT, NOWHERE] = ['192.0.2.99', '198.51.100.9']

const REMOTE: readonly Break[] = [
  {
    kind: 'flow_foreign', what: 'somebody else\'s flow stands in the place of ours', address: BY_HAND, says: /somebody else's flow stands in the place of ours/, after: 'unknown',
    breakIt: async () => {
      await c1.ofctl('add-flow', 'br-int', `${TO_BY_HAND},actions=drop`)
      await byHand()
    },
    mendIt: async () => {
      await c1.ofctl('--strict', 'del-flows', 'br-int', TO_BY_HAND)
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
    mendIt: notMultihomed
  },
  {
    kind: 'group_different', what: 'the group of its nexthop was changed', address: BY_HAND, says: /the group \d+ of nexthop 19 is not as it should be: somebody else changed it .*; evpn-audit=report leaves it so/, after: 'unknown',
    breakIt: async () => {
      await repairs(c1, false)
      await multihomed()
    },
    again: async () => {
      const [group] = (await groups()).filter(({ text }) => !text.includes('actions=drop')).map(({ id }) => id)
      if (group !== undefined) await c1.ofctl('mod-group', 'br-int', `group_id=${group},type=select,bucket=bucket_id:1,actions=drop`)
    },
    mendIt: async () => {
      await repairs(c1, true)
      await verdictOn(lab, BY_HAND, 'unknown_to_zebra')
      await notMultihomed()
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
    breakIt: () => speaker.mac(VNI, BY_HAND, ABSENT), mendIt: noByHand,
    // The kernel forgets who did not answer, sooner when it has many neighbours.
    again: () => c1.run(['ping', '-c', '1', '-W', '5', ABSENT], { allowFailure: true })
  },
  {
    kind: 'zebra_down', what: 'zebra hangs while a MAC is announced', address: '02:00:00:01:02:07', says: /zebra did not answer within 5 s/,
    breakIt: async () => {
      await signal('zebra', 'STOP')
      await lab.addWorkload({ name: 'l1-10-z', vtep: 'l1', vni: VNI, mac: '02:00:00:01:02:07', addresses: ['10.0.1.27/16'] })
    },
    mendIt: () => signal('zebra', 'CONT')
  },
  {
    kind: 'zebra_silent', what: 'zebra hangs, and the address works', address: there.mac, says: /packets to it leave for its VTEP; but zebra did not answer within 5 s, while bgpd does/,
    breakIt: () => signal('zebra', 'STOP'), mendIt: () => signal('zebra', 'CONT')
  },
  {
    kind: 'bgpd_silent', what: 'bgpd hangs, and the address works', address: there.mac, says: /packets to it leave for its VTEP; but bgpd did not answer within 5 s, while zebra does/,
    breakIt: () => signal('bgpd', 'STOP'), mendIt: () => signal('bgpd', 'CONT')
  },
  {
    kind: 'unknown_to_zebra', what: 'a row that zebra does not know, as one leaves that is killed', address: BY_HAND, says: /but zebra does not know 02:aa:00:00:00:01/, after: 'unknown',
    breakIt: byHand, mendIt: noByHand
  },
  {
    kind: 'stale', what: 'the routing daemon is gone', address: there.mac, says: /it stands only because it is kept: withdrawn by a routing daemon that was gone/,
    breakIt: () => lab.stopService('c1', 'bgpd', 'SIGKILL'),
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

/** A MAC behind a nexthop with one VTEP, and none any more. */
async function multihomed(): Promise<void> {
  await speaker.nexthops({ 9: VTEP })
  await speaker.nexthopGroup(19, { 9: 1 })
  await speaker.multihomed(VNI, [BY_HAND], 19)
}

async function notMultihomed(): Promise<void> {
  await speaker.noNexthop(19)
  await speaker.noNexthop(9)
  await c1.run(['bridge', 'fdb', 'del', BY_HAND, 'dev', 'vxlan-10', 'master'], { allowFailure: true })
}

/** Nexthops' groups; the flood's own way to recirculate is none. */
async function groups(): Promise<{ readonly id: string, readonly text: string }[]> {
  const all = [...(await c1.ofctl('dump-groups', 'br-int')).matchAll(/group_id=(\d+),type=select.*/g)].map(([text, id = '']) => ({ id, text }))
  return all.filter(({ id }) => Number(id) !== TRAMPOLINE_GROUP)
}

async function signal(daemon: 'zebra' | 'bgpd', name: 'STOP' | 'CONT'): Promise<void> {
  const pid = (await c1.run(['cat', `${vtySocket}/${daemon}.pid`])).trim()
  await c1.run(['kill', `-${name}`, pid])
}

for (const one of REMOTE) await t.test(`${one.what} -> ${one.kind}`, (t) => provoke(t, lab, one))
