// ovs-evpnctl against a control server that tells of a made-up chassis: what it prints, where it looks, how it fails.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { type Chassis, type Outcome, run, startChassis, temporaryFolder } from '../control/chassis.js'
import { parseCliArguments } from '../../lib/cli/arguments.js'
import { LISTS } from '../../lib/cli/lists.js'
import { emptyReports, fakeReports } from '../control/reports.js'

const PROGRAM = fileURLToPath(new URL('../../bin/ovs-evpnctl.js', import.meta.url))

async function ctl(t: Test, rundir: string, ...args: readonly string[]): Promise<Outcome> {
  return await run(t, process.execPath, [PROGRAM, ...args], { env: { ...process.env, OVS_RUNDIR: rundir } })
}

// Each question starts a process of its own, which takes its time on a busy machine.
t.setTimeout(180_000)

const PRINTED: readonly (readonly [string, string])[] = [
  ['vteps', 'vteps.txt'],
  ['vteps --vni 2000', 'vteps-2000.txt'],
  ['macs', 'macs.txt'],
  ['ips', 'ips.txt'],
  ['flood', 'flood.txt'],
  ['local', 'local.txt'],
  ['ports', 'ports.txt'],
  ['drops', 'drops.txt'],
  ['drops --vni 1000', 'drops-1000.txt'],
  ['problems', 'problems.txt'],
  ['latency', 'latency.txt'],
  ['show', 'show.txt'],
  ['show --vni 1000', 'show-1000.txt']
]

await t.test('each command prints what fixtures/cli shows', async t => {
  const { rundir } = await startChassis(t)
  for (const [command, file] of PRINTED) {
    const { code, stdout, stderr } = await ctl(t, rundir, ...command.split(' '))
    t.equal(stderr, '', command)
    t.equal(code, 0, command)
    t.equal(stdout, fs.readFileSync(path.join('fixtures/cli', file), 'utf8'), command)
  }
})

await t.test('--json prints the report as it is, for one VNI or all', async t => {
  const { rundir } = await startChassis(t)
  const reports = fakeReports()
  const macs = JSON.parse((await ctl(t, rundir, 'macs', '--json')).stdout) as readonly object[]
  t.equal(macs.length, reports.macs().length)
  t.match(macs[0], { vni: 1000, mac: '02:00:00:00:00:02', sticky: true, ip: '192.0.2.2' })
  const vteps = JSON.parse((await ctl(t, rundir, '--json', '--vni', '2000', 'vteps')).stdout) as unknown
  t.same(vteps, reports.vteps(2000))
  t.same(JSON.parse((await ctl(t, rundir, 'problems', '--json')).stdout), reports.problems())
})

await t.test('nothing to show is said in a sentence, and is an empty list in JSON', async t => {
  const { rundir } = await startChassis(t, { reports: emptyReports() })
  const SENTENCES = {
    vteps: 'No remote VTEPs.\n', macs: 'No remote MACs.\n', ips: 'No IPs.\n', flood: 'No flood groups.\n',
    local: 'No local MACs.\n', ports: 'No ports with a VNI.\n', drops: 'No packets dropped.\n', problems: 'No problems.\n', latency: 'No changes.\n'
  }
  for (const [command, sentence] of Object.entries(SENTENCES)) {
    t.equal((await ctl(t, rundir, command)).stdout, sentence, command)
    t.equal((await ctl(t, rundir, command, '--json')).stdout, '[]\n', `${command} --json`)
  }
  t.match((await ctl(t, rundir, 'show')).stdout, /^No VNIs\. Give a port one with: ovs-vsctl set Interface /m)
})

await t.test('a VNI that has nothing of a kind', async t => {
  const { rundir } = await startChassis(t)
  t.equal((await ctl(t, rundir, 'ips', '--vni', '2000')).stdout, 'No IPs in VNI 2000.\n')
})

const WRONG: readonly (readonly [string, string])[] = [
  ['vtep', 'no command "vtep", did you mean "vteps"? (ovs-evpnctl --help shows all)'],
  ['mac', 'no command "mac", did you mean "macs"? (ovs-evpnctl --help shows all)'],
  ['toString', 'no command "toString", did you mean "ports"? (ovs-evpnctl --help shows all)'],
  ['', 'missing required argument \'COMMAND\''],
  ['macs --vni 1001', 'VNI 1001 is unknown to the daemon; it knows 1000, 2000'],
  ['show --vni 1900', 'VNI 1900 is unknown to the daemon; it knows 2000, 1000'],
  ['macs --vni ten', '--vni ten: no VNI, which is a whole number from 0 to 16777215'],
  ['macs --vni 16777216', '--vni 16777216: no VNI, which is a whole number from 0 to 16777215'],
  ['problems --vni 1000', 'problems are not told apart by VNI; for those of one, use: ovs-evpnctl show --vni 1000'],
  ['latency --vni 1000', 'latencies are not told apart by VNI'],
  ['explain --vni 1000 02:00:00:00:00:02', 'explain takes the VNI as a word, not as --vni: ovs-evpnctl explain 1000 MAC|IP'],
  ['explain 1000 02:00:00:00:00:02 --vni=1000', 'explain takes the VNI as a word, not as --vni: ovs-evpnctl explain 1000 MAC|IP'],
  ['plan --vni 1000 evpn-flood=none', 'plan takes the VNI in the key, not as --vni: ovs-evpnctl plan KEY-1000=VALUE'],
  ['trace vm1 arp --vni 1000', 'trace takes the VNI from the port, not from --vni; of a tunnel port say it in the packet: tun_id=1000'],
  ['doctor --vni 1000', 'doctor looks at the whole chassis, not at one VNI; for what is wrong with one, use: ovs-evpnctl show --vni 1000'],
  ['doctor --vni ten', '--vni ten: no VNI, which is a whole number from 0 to 16777215'],
  ['explain', 'explain takes a VNI and a MAC or IP: ovs-evpnctl explain VNI MAC|IP'],
  ['explain ten 10.0.0.1', '"ten" is no VNI, which is a whole number from 0 to 16777215'],
  ['explain 1000 10.0.0.256', '"10.0.0.256" is no MAC and no IP address, such as 02:00:00:00:00:01, 10.0.0.1, 2001:db8::1'],
  ['explain 1001 10.0.0.1', 'VNI 1001 is unknown to the daemon; it knows 1000, 2000'],
  ['macs extra', 'too many arguments. Expected 1 argument but got 2.'],
  ['macs --jsno', 'unknown option \'--jsno\'\n(Did you mean --json?)']
]

await t.test('a command with a typing error gets the nearest one, whichever it is', t => {
  const commands = ['show', ...Object.keys(LISTS), 'explain', 'history', 'plan', 'trace', 'watch', 'doctor']
  const slips = (word: string): readonly string[] => [word.slice(0, -1), word.slice(1), `${word}x`, word.slice(0, -2) + word.slice(-1) + word.slice(-2, -1), word.toUpperCase()[0] + word.slice(1)]
  for (const command of commands) {
    for (const slip of slips(command).filter(word => !commands.includes(word))) {
      t.throws(() => parseCliArguments([slip], '', () => undefined), { message: `no command "${slip}", did you mean "${command}"? (ovs-evpnctl --help shows all)`, exitCode: 2 }, slip)
    }
  }
  t.end()
})

await t.test('a wrong question is answered in a sentence and exit code 2', async t => {
  const { rundir } = await startChassis(t)
  for (const [args, sentence] of WRONG) {
    const { code, stdout, stderr } = await ctl(t, rundir, ...args.split(' ').filter(word => word !== ''))
    t.equal(stderr, `ovs-evpnctl: ${sentence}\n`, args)
    t.equal(stdout, '', args)
    t.equal(code, 2, args)
  }
})

await t.test('a VNI asked of a daemon without any', async t => {
  const { rundir } = await startChassis(t, { reports: emptyReports() })
  const { code, stderr } = await ctl(t, rundir, 'macs', '--vni', '5')
  t.equal(code, 2)
  t.match(stderr, /^ovs-evpnctl: VNI 5 is unknown to the daemon\. No VNIs\. Give a port one with: /)
})

await t.test('of many VNIs the nearest are named', async t => {
  const show = fakeReports().show()
  const [vni] = show.vnis
  if (vni === undefined) throw new Error('the made-up chassis has VNIs')
  const vnis = Array.from({ length: 100 }, (_, at) => ({ ...vni, vni: 10 * at }))
  const { rundir } = await startChassis(t, { reports: { ...fakeReports(), show: () => ({ ...show, vnis }) } })
  t.equal((await ctl(t, rundir, 'macs', '--vni', '501')).stderr,
    'ovs-evpnctl: VNI 501 is unknown to the daemon; it knows 500, 510, 490, 520, 480 and 95 more\n')
})

await t.test('names from outside cannot reach the terminal as commands', async t => {
  const ports = [{ port: 'vm\x1b[31m', vni: 1000, addresses: 'a\nb', unknown: false, advertise: true, state: 'up' }] as const
  const { rundir } = await startChassis(t, { reports: { ...fakeReports(), ports: () => ports } })
  t.match((await ctl(t, rundir, 'ports')).stdout, /vm\\x1b\[31m .* a\\nb /)
})

const STOPPED = 'start it with: ovs-evpnd --detach --pidfile'

await t.test('a daemon that does not run is said so, with the socket tried and how to start it, exit code 1', async t => {
  const rundir = temporaryFolder(t)
  const cases: readonly (readonly [readonly string[], string])[] = [
    [[], `ovs-evpnd is not running: tried ${rundir}/ovs-evpnd.*.ctl, nothing answers; ${STOPPED}`],
    [['-t', '/no/such.ctl'], `ovs-evpnd is not running: tried /no/such.ctl, there is no such socket; ${STOPPED}`],
    [['-t', 'other'], `no daemon "other": ${rundir}/other.pid holds no pid; give its control socket instead: -t PATH`]
  ]
  for (const [args, sentence] of cases) {
    const { code, stderr } = await ctl(t, rundir, 'macs', ...args)
    t.equal(stderr, `ovs-evpnctl: ${sentence}\n`)
    t.equal(code, 1, sentence)
  }
  fs.writeFileSync(path.join(rundir, 'ovs-evpnd.pid'), '4194305\n')
  t.equal((await ctl(t, rundir, 'macs')).stderr,
    `ovs-evpnctl: ovs-evpnd is not running: tried ${rundir}/ovs-evpnd.4194305.ctl, there is no such socket; ${STOPPED}\n`)
})

/** A second daemon in the run directory of `first`, by a link to its socket. */
async function addDaemon(t: Test, first: Chassis, name: string): Promise<string> {
  const other = await startChassis(t, { reports: emptyReports() })
  const socket = path.join(first.rundir, name)
  fs.symlinkSync(other.socket, socket)
  return socket
}

await t.test('the daemon is found by its pidfile, by -t, or when it is the only one that answers', async t => {
  const first = await startChassis(t)
  fs.writeFileSync(path.join(first.rundir, 'ovs-evpnd.77.ctl'), '')
  t.match((await ctl(t, first.rundir, 'macs')).stdout, /^ VNI /, 'the only one that answers; the dead socket does not count')
  const second = await addDaemon(t, first, 'ovs-evpnd.2.ctl')
  const both = await ctl(t, first.rundir, 'macs')
  t.equal(both.code, 2)
  t.equal(both.stderr, `ovs-evpnctl: several daemons are running, choose one with -t: ${first.socket}, ${second}\n`)
  t.equal((await ctl(t, first.rundir, 'macs', '-t', second)).stdout, 'No remote MACs.\n')
  fs.writeFileSync(path.join(first.rundir, 'ovs-evpnd.pid'), '2\n')
  t.equal((await ctl(t, first.rundir, 'macs')).stdout, 'No remote MACs.\n', 'the pidfile decides')
  fs.writeFileSync(path.join(first.rundir, 'chosen.pid'), '1\n')
  fs.symlinkSync(first.socket, path.join(first.rundir, 'chosen.1.ctl'))
  t.match((await ctl(t, first.rundir, 'macs', '--target=chosen')).stdout, /^ VNI /, 'the name of a pidfile')
})

await t.test('a user who may not connect is told so', async t => {
  const { rundir, socket } = await startChassis(t)
  fs.chmodSync(rundir, 0o755)
  fs.chmodSync(socket, 0)
  const closed = temporaryFolder(t)
  fs.chmodSync(closed, 0)
  // Root is allowed everything, and the user nobody may not read the program: it is loaded before the user changes.
  const script = `import { runCli } from ${JSON.stringify(new URL('../../lib/cli/run.js', import.meta.url).href)}
    if (process.getuid() === 0) process.setuid(65534)
    const complain = text => process.stdout.write(text)
    const target = ['-t', ${JSON.stringify(socket)}]
    for (const args of [[], target]) console.log(await runCli(['macs', ...args], process.env, '', { complain }))
    console.log(await runCli(['macs'], { OVS_RUNDIR: ${JSON.stringify(closed)} }, '', { complain }))`
  const env = { ...process.env, OVS_RUNDIR: rundir }
  const { stdout } = await run(t, process.execPath, ['--input-type=module', '-e', script], { env })
  const sentence = `ovs-evpnctl: not allowed to connect to ${socket}; use root, or a member of the daemon's --unixctl-group\n1\n`
  t.equal(stdout, `${sentence}${sentence}ovs-evpnctl: not allowed to look for ovs-evpnd's socket in ${closed}; use root, or give the socket: -t PATH\n1\n`)
})

await t.test('help and version', async t => {
  const rundir = temporaryFolder(t)
  t.match((await ctl(t, rundir, '--version')).stdout, /^ovs-evpnctl \(ovs-evpn\) [0-9]+\.[0-9]+\.[0-9]+\n$/)
  const { code, stdout } = await ctl(t, rundir, '--help')
  t.equal(code, 0)
  t.match(stdout, /^Usage: ovs-evpnctl \[options\] <COMMAND> \[ARGUMENTS...\]\n.*Commands:\n {2}show {6}overview.*\n {2}problems {2}what an operator/s)
})
