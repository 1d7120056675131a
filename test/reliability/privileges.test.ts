// Least privilege: the daemon as a user of its own, with CAP_NET_ADMIN and nothing else, against Open vSwitch's sockets with the
// modes and owners they really have; and against a database that it must verify.
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Lab } from '../lab/lab.js'
import { endProcesses, processByPid } from '../lab/process.js'
import { waitFor } from '../lab/wait.js'
import { authority } from '../ovsdb/authority.js'
import { Chassis } from '../system/util/chassis.js'
import { eventually, eventuallyHas } from '../system/util/eventually.js'
import { Speaker } from '../system/util/speaker.js'
import { rowsOf, workload } from '../system/util/workload.js'
import { announces } from '../system/util/announced.js'
import { cpuSeconds } from './util/process.js'

/** A user and a group that nobody has, as if adduser had made them. */
const ID = 64_999
const VNI = 1000
const VM = workload('vm1', VNI, 1)

const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: [VNI], workloads: [VM] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
const { dir } = lab.host('c1')
const app = installed()

/** The program where every user may read it: the repository may be root's alone. */
function installed(): string {
  const target = mkdtempSync(path.join(tmpdir(), 'evpn-app-'))
  t.teardown(() => rmSync(target, { recursive: true, force: true }))
  chmodSync(target, 0o755)
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { readonly dependencies: Readonly<Record<string, string>> }
  const parts = ['package.json', 'dist/lib', 'dist/bin', ...['@koromix', ...Object.keys(dependencies)].map((name) => `node_modules/${name}`)]
  for (const part of parts) cpSync(path.join(root, part), path.join(target, part), { recursive: true, dereference: true })
  cpSync(process.execPath, path.join(target, 'node'))
  return target
}

function mode(file: string): string {
  const { mode, uid, gid } = statSync(path.join(dir, file))
  return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`
}

interface Running { readonly log: () => string, readonly ctl: string, readonly pid: number, readonly stop: () => Promise<void> }

/** The daemon as that user, with that one capability, or with these. */
async function start(name: string, args: readonly string[] = [], capabilities = '-all,+net_admin'): Promise<Running> {
  const [ctl, log] = [`${dir}/${name}.ctl`, `${dir}/${name}/log`]
  mkdirSync(`${dir}/${name}`)
  chownSync(`${dir}/${name}`, ID, ID)
  const child = lab.spawn('c1', [
    'setpriv', `--reuid=${ID}`, `--regid=${ID}`, '--clear-groups', `--inh-caps=${capabilities}`, `--ambient-caps=${capabilities}`, `--bounding-set=${capabilities}`,
    '--no-new-privs', `${app}/node`, `${app}/dist/bin/ovs-evpnd.js`, '-vconsole:off', `--log-file=${log}`, `--unixctl=${ctl}`, `--pidfile=${dir}/${name}.pid`, ...args
  ], { stdio: 'ignore' })
  const { pid = 0 } = child
  const identity = processByPid(pid)
  await eventually(`the control socket of ${name}`, async () => (await lab.exec('c1', ['ovs-appctl', '-t', ctl, 'version'], { allowFailure: true })).code, (code) => code === 0)
  return { ctl, pid, log: () => readFileSync(log, 'utf8'), stop: async () => { if (identity !== undefined) await endProcesses([identity]) } }
}

// What the package's drop-ins say of Open vSwitch's units (docs/privileges.md): Group=, UMask=, RuntimeDirectoryMode=.
const withDropIn = (...argv: readonly string[]): string[] => ['setpriv', `--regid=${ID}`, '--clear-groups', 'sh', '-c', 'umask 007; exec "$@"', 'sh', ...argv]
const openRundir = (): void => {
  chownSync(dir, 0, ID)
  chmodSync(dir, 0o3775)
}

const ca = authority(t, 'our CA')
const { privateKey, certificate, caCert } = ca.issue('server')
const client = ca.issue('client')
const stranger = authority(t, 'another CA').issue('client')
openRundir()

await t.test('Open vSwitch\'s sockets as Debian makes them let nobody in but root: the daemon says so once, waits, and uses no CPU', async (t) => {
  t.equal(mode('db.sock'), '750 0:0')
  t.equal(mode('br-int.mgmt'), '750 0:0')
  const daemon = await start('waiting')
  t.teardown(() => daemon.stop())
  await eventually('the refusal in the log', daemon.log, (log) => log.includes('EACCES'))
  const before = cpuSeconds(daemon.pid)
  await waitFor('some seconds of waiting', ((until) => () => Date.now() > until)(Date.now() + 3500))
  t.ok(cpuSeconds(daemon.pid) - before < 0.5, `${cpuSeconds(daemon.pid) - before} s of CPU time in 3.5 s`)
  t.equal(daemon.log().split('EACCES').length - 1, 1, 'one line')
  t.match(daemon.log(), /db\.sock.*needs write access to the socket: docs\/privileges\.md/)
})

await t.test('with the package\'s drop-ins, a user with CAP_NET_ADMIN alone does all the work', async (t) => {
  await lab.stopService('c1', 'ovs-vswitchd')
  await lab.stopService('c1', 'ovsdb-server')
  lab.spawn('c1', withDropIn('ovsdb-server', `${dir}/conf.db`, `--remote=punix:${dir}/db.sock`, '--remote=pssl:16640:127.0.0.1',
    `--private-key=${privateKey}`, `--certificate=${certificate}`, `--ca-cert=${caCert}`, '--pidfile', '-vconsole:off'), { stdio: 'ignore' })
  await eventually('the database\'s socket', () => mode('db.sock'), (seen) => seen === `770 0:${ID}`)
  lab.spawn('c1', withDropIn('ovs-vswitchd', `unix:${dir}/db.sock`, '--pidfile', '-vconsole:off', ...(lab.plan.datapath === 'netdev' ? ['--disable-system'] : [])), { stdio: 'ignore' })
  await c1.vsctl('set', 'Open_vSwitch', '.', 'external_ids:test=1')
  await eventually('the bridge\'s socket', () => mode('br-int.mgmt'), (seen) => seen === `770 0:${ID}`)

  const daemon = await start('working')
  t.teardown(() => daemon.stop())
  const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8')
  t.match(status, new RegExp(`^Uid:\\s+${ID}\\s+${ID}\\s+${ID}\\s+${ID}$`, 'm'), 'no process of root')
  t.match(status, /^CapEff:\s+0000000000001000$/m, 'CAP_NET_ADMIN (bit 12) and nothing else')
  t.match(status, /^CapBnd:\s+0000000000001000$/m)
  await announces(c1, 'the kernel takes our rows', rowsOf(VM))
  const speaker = new Speaker(c1)
  await speaker.vtep(VNI, '192.0.2.9')
  await speaker.mac(VNI, '02:00:00:00:00:99', '192.0.2.9')
  await eventuallyHas('what the kernel tells on the switch', () => c1.ourFlows('table=202'), '02:00:00:00:00:99')
  t.equal(mode('working.ctl'), `600 ${ID}:${ID}`, 'the control socket is its user\'s alone')
  t.equal((await lab.exec('c1', ['setpriv', '--reuid=64998', '--regid=64998', '--clear-groups', 'ovs-appctl', '-t', daemon.ctl, 'version'], { allowFailure: true })).code === 0, false,
    'another user is refused')
  t.notMatch(daemon.log(), /\|(ERR|EMER)\|/)
})

await t.test('without CAP_NET_ADMIN the kernel takes no row of ours: each is a problem with the kernel\'s word; what the kernel tells is programmed', async (t) => {
  const daemon = await start('powerless', [], '-all')
  t.teardown(() => daemon.stop())
  t.match(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'), /^CapEff:\s+0000000000000000$/m)
  const problems = async (): Promise<readonly string[]> => {
    const { stdout } = await lab.exec('c1', ['ovs-appctl', '-t', daemon.ctl, 'evpn/report', 'problems'])
    return (JSON.parse(stdout) as readonly { readonly record: string, readonly what: string }[]).map(({ record, what }) => `${record}: ${what}`)
  }
  await c1.set(`Interface ${VM.name}`, { 'evpn-addresses': '02:00:00:00:00:77 10.0.0.77' })
  await eventuallyHas('the row as a problem', problems, 'kernel row', '02:00:00:00:00:77', 'refused', 'EPERM')
  const speaker = new Speaker(c1)
  await speaker.mac(VNI, '02:00:00:00:00:98', '192.0.2.9')
  await eventuallyHas('what the kernel tells on the switch', () => c1.ourFlows('table=202'), '02:00:00:00:00:98')
  const before = cpuSeconds(daemon.pid)
  await waitFor('some seconds of trying again', ((until) => () => Date.now() > until)(Date.now() + 2_000))
  t.ok(cpuSeconds(daemon.pid) - before < 0.5, `${(cpuSeconds(daemon.pid) - before).toFixed(2)} s of CPU time in 2 s`)
})

await t.test('--unixctl-group lets one group more use the control socket', async (t) => {
  const daemon = await start('grouped', [`--unixctl-group=${ID}`])
  t.teardown(() => daemon.stop())
  t.equal(mode('grouped.ctl'), `660 ${ID}:${ID}`)
  const asMember = ['setpriv', '--reuid=64998', '--regid=64998', `--groups=${ID}`, 'ovs-appctl', '-t', daemon.ctl, 'version']
  t.match((await lab.exec('c1', asMember)).stdout, 'ovs-evpnd (ovs-evpn)')
})

await t.test('a second daemon with the same pidfile is refused, the first one goes on', async (t) => {
  const daemon = await start('first')
  t.teardown(() => daemon.stop())
  const { code, stderr } = await lab.exec('c1', [`${app}/node`, `${app}/dist/bin/ovs-evpnd.js`, `--pidfile=${dir}/first.pid`, '--unixctl=none'], { allowFailure: true })
  t.equal(code, 1)
  t.match(stderr, new RegExp(`already held by node \\(pid ${daemon.pid}\\)`))
  t.match((await lab.exec('c1', ['ovs-appctl', '-t', daemon.ctl, 'version'])).stdout, 'ovs-evpnd')
})

const TLS = [
  ['our CA', client, caCert, /connected to ssl:127\.0\.0\.1:16640/],
  ['a server of another CA than ours', client, stranger.caCert, /ssl:127\.0\.0\.1:16640: .*certificate.*; keeping the last configuration/],
  ['a certificate of ours that the server\'s CA did not sign', stranger, caCert, /ssl:127\.0\.0\.1:16640: .*; keeping the last configuration/]
] as const

for (const [i, [what, own, trusted, says]] of TLS.entries()) {
  await t.test(`ssl: with ${what}: ${i === 0 ? 'connected' : 'refused, nothing is read'}`, async (t) => {
    const files = [own.privateKey, own.certificate, trusted].map((file, n) => {
      const copy = `${dir}/tls-${i}-${n}.pem`
      cpSync(file, copy)
      chownSync(copy, ID, ID)
      return copy
    })
    const daemon = await start(`tls${i}`, [`--private-key=${files[0]}`, `--certificate=${files[1]}`, `--ca-cert=${files[2]}`, 'ssl:127.0.0.1:16640'])
    t.teardown(() => daemon.stop())
    await eventually('a word in the log', daemon.log, (log) => says.test(log))
    const { stdout } = await lab.exec('c1', ['ovs-appctl', '-t', daemon.ctl, 'evpn/report', 'show'])
    const { vnis } = JSON.parse(stdout) as { readonly vnis: readonly unknown[] }
    t.equal(vnis.length, i === 0 ? 1 : 0)
  })
}
