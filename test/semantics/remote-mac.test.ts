// Rule 8: which MACs are remote. One chassis and a plain Linux VTEP with FRR on both: what FRR writes is what FRR writes; what
// other speakers write, and what FRR leaves behind, is written by hand.
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { Chassis } from '../system/util/chassis.js'
import { eventually } from '../system/util/eventually.js'
import { workload } from '../system/util/workload.js'
import { Speaker } from '../system/util/speaker.js'
import type { MacReport } from '../../lib/daemon/report/report.js'

const VNI = 10
const PEER = '192.0.2.2'
const near = workload('near', VNI, 1)
const far = { name: 'far', vtep: 'l1', vni: VNI, mac: '02:00:00:00:00:99', addresses: ['10.0.0.99/16'] }
const MAC = { sticky: '02:aa:00:00:00:01', hand: '02:aa:00:00:00:02', moved: '02:aa:00:00:00:03', unnamed: '02:aa:00:00:00:05', later: '02:aa:00:00:00:06' } as const
/** A port of the kernel's bridge that is no vxlan device. */
const OTHER = 'other-port'
/** A vxlan device in it that no option names. */
const UNNAMED = 'vxlan-unnamed'

const lab = await Lab.up({ chassis: 1, linux: 1, vnis: [VNI], workloads: [near, far] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const speaker = new Speaker(c1)
await c1.run(['ip', 'link', 'add', OTHER, 'type', 'veth', 'peer', 'name', `${OTHER}-peer`])
await c1.run(['ip', 'link', 'set', OTHER, 'master', `br-${VNI}`, 'up'])
await lab.startDaemon('c1')

/** What the chassis does with a MAC: where it sends frames to, by its flow and by its report; undefined = it is not remote. */
async function remote(mac: string): Promise<{ readonly to: string | undefined, readonly sticky: boolean } | undefined> {
  const [flows, rows] = await Promise.all([c1.ourFlows(`table=202,metadata=${VNI},dl_dst=${mac}`), c1.report<readonly MacReport[]>('macs', VNI)])
  const flow = flows.find((line) => line.includes('priority=300,'))
  const row = rows.find((one) => one.mac === mac)
  const to = flow && /set_field:([0-9a-f.:]+)->tun_/.exec(flow)?.[1]
  return row === undefined && flow === undefined ? undefined : { to: row?.ip === to ? to : `${row?.ip} by report, ${to} by flow`, sticky: row?.sticky === true }
}

function becomes(mac: string, why: string, wanted: { readonly to: string, readonly sticky: boolean } | undefined): Promise<unknown> {
  return eventually(`${mac} to be ${wanted === undefined ? 'no remote MAC' : `remote, behind ${wanted.to}`} (${why})`, () => remote(mac),
    (seen) => JSON.stringify(seen) === JSON.stringify(wanted), 20_000)
}

const behind = (to: string, sticky = false) => ({ to, sticky })

/** The kernel's rows of a MAC: device, and the flags that matter. */
async function rows(mac: string): Promise<string[]> {
  return (await c1.fdb()).filter((row) => row.mac === mac)
    .map(({ ifname, master, flags, dst }) => [ifname, master === undefined ? `self ${dst}` : 'master', ...flags.filter((flag) => /extern|sticky/.test(flag))].join(' ')).sort()
}

await t.test('rule 8: a MAC that FRR learned by EVPN is remote: EXT_LEARNED', async (t) => {
  await lab.exec('far', ['ping', '-c', '1', '-W', '1', '10.0.0.254'], { allowFailure: true })
  await becomes(far.mac, 'its VTEP announces it', behind(PEER))
  t.match(await rows(far.mac), [/master.* extern_learn/, /self 192\.0\.2\.2 extern_learn/])
})

await t.test('rule 8: a sticky MAC is remote, which FRR writes STICKY without EXT_LEARNED; we leave its rows alone', async (t) => {
  const port = JSON.parse((await lab.exec('l1', ['bridge', '-j', 'link', 'show'])).stdout) as readonly { readonly ifname: string }[]
  const device = port.map(({ ifname }) => ifname).find((name) => !name.startsWith('vxlan'))
  await lab.exec('l1', ['bridge', 'fdb', 'replace', MAC.sticky, 'dev', device ?? '', 'master', 'static', 'sticky'])
  await becomes(MAC.sticky, 'announced as sticky', behind(PEER, true))
  const written = await rows(MAC.sticky)
  t.ok(written.some((row) => row.includes('self 192.0.2.2') && row.includes('sticky')), written.join('; '))
  t.notOk(written.some((row) => row.includes('self') && row.includes('extern_learn')), 'not EXT_LEARNED')
  await lab.exec('l1', ['bridge', 'fdb', 'del', MAC.sticky, 'dev', device ?? '', 'master'])
  await becomes(MAC.sticky, 'withdrawn', undefined)
})

await t.test('rule 8: a MAC with a row of the vxlan device only is remote', async () => {
  await c1.run(['bridge', 'fdb', 'replace', MAC.hand, 'dev', `vxlan-${VNI}`, 'dst', PEER, 'self', 'extern_learn', 'dynamic'])
  await becomes(MAC.hand, 'some speakers write no bridge row', behind(PEER))
  await c1.run(['bridge', 'fdb', 'replace', MAC.moved, 'dev', `vxlan-${VNI}`, 'dst', PEER, 'self', 'sticky', 'static'])
  await becomes(MAC.moved, 'sticky, the device row only', behind(PEER, true))
  await c1.run(['bridge', 'fdb', 'del', MAC.moved, 'dev', `vxlan-${VNI}`, 'self'])
  await becomes(MAC.moved, 'gone', undefined)
})

await t.test('rule 8: neither EXT_LEARNED nor STICKY: what somebody wrote by hand, or the device learned, is not remote', async (t) => {
  await c1.run(['bridge', 'fdb', 'replace', MAC.moved, 'dev', `vxlan-${VNI}`, 'dst', PEER, 'self', 'static'])
  // What is written after it has arrived: so has it.
  await c1.run(['bridge', 'fdb', 'replace', '02:aa:00:00:00:04', 'dev', `vxlan-${VNI}`, 'dst', PEER, 'self', 'extern_learn', 'dynamic'])
  await becomes('02:aa:00:00:00:04', 'written later', behind(PEER))
  t.equal(await remote(MAC.moved), undefined)
  await c1.run(['bridge', 'fdb', 'del', MAC.moved, 'dev', `vxlan-${VNI}`, 'self'])
})

await t.test('rule 8: a bridge row on a vxlan device that the VNI does not name does not make a MAC local', async (t) => {
  await c1.run(['ip', 'link', 'add', UNNAMED, 'type', 'vxlan', 'id', '11', 'dstport', '61011', 'local', '192.0.2.1', 'nolearning'])
  await c1.run(['ip', 'link', 'set', UNNAMED, 'master', `br-${VNI}`, 'addrgenmode', 'none', 'up'])
  await speaker.mac(VNI, MAC.unnamed, PEER)
  await becomes(MAC.unnamed, 'remote at first', behind(PEER))
  await c1.run(['bridge', 'fdb', 'replace', MAC.unnamed, 'dev', UNNAMED, 'master', 'static'])
  await c1.run(['bridge', 'fdb', 'replace', MAC.later, 'dev', `vxlan-${VNI}`, 'dst', PEER, 'self', 'extern_learn', 'dynamic'])
  await becomes(MAC.later, 'written later, so the other row is known', behind(PEER))
  t.ok((await rows(MAC.unnamed)).some((row) => row.startsWith(`${UNNAMED} master`)), 'the bridge has it there')
  t.same(await remote(MAC.unnamed), behind(PEER), 'it is where the device of the VNI says')
  await c1.run(['ip', 'link', 'del', UNNAMED])
})

await t.test('rule 8: a bridge row on a port that is no vxlan device makes a MAC local, whatever the row of the vxlan device says', async (t) => {
  await speaker.mac(VNI, MAC.moved, PEER)
  await becomes(MAC.moved, 'remote at first', behind(PEER))
  await c1.run(['bridge', 'fdb', 'replace', MAC.moved, 'dev', OTHER, 'master', 'static'])
  await becomes(MAC.moved, 'it moved to a port here', undefined)
  t.ok((await rows(MAC.moved)).some((row) => row.includes(`self ${PEER}`)), 'the row of the vxlan device still stands')
  await speaker.mac(VNI, MAC.moved, PEER)
  await becomes(MAC.moved, 'it moved away again', behind(PEER))
  await speaker.noMac(VNI, MAC.moved)
  await becomes(MAC.moved, 'withdrawn', undefined)
})
