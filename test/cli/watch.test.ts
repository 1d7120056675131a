// ovs-evpnctl watch and history against a control server with a history of its own: lines, colours, JSON, what was missed, and the end.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { paintFor } from '../../lib/cli/colour.js'
import { counters, dropsBetween } from '../../lib/cli/watch/drops.js'
import { dropLine, eventLine } from '../../lib/cli/watch/line.js'
import type { Command } from '../../lib/daemon/control/command.js'
import { History, type Note } from '../../lib/daemon/history.js'
import { eventsReport, transitionReport } from '../../lib/daemon/report/history.js'
import type { DropReport, HistoryReport } from '../../lib/daemon/report/report.js'
import type { State } from '../../lib/daemon/state.js'
import { run, startChassis, type Outcome } from '../control/chassis.js'
import { waitFor } from '../lab/wait.js'

t.setTimeout(180_000)

const PROGRAM = fileURLToPath(new URL('../../bin/ovs-evpnctl.js', import.meta.url))
const MAC = '02:00:00:00:00:02'

const note = (more: Partial<Note>): Note => ({ kind: 'mac', vni: 10, of: MAC, from: undefined, to: '192.0.2.2', by: 'speaker', since: undefined, key: undefined, ...more })

const LINES: readonly (readonly [Partial<Note>, string])[] = [
  [{}, 'VNI 10        MAC learned                  02:00:00:00:00:02  192.0.2.2  by routing daemon'],
  [{ from: '192.0.2.2', to: '192.0.2.3' }, 'VNI 10        MAC moved                    02:00:00:00:00:02  192.0.2.2 -> 192.0.2.3  by routing daemon'],
  [{ from: '192.0.2.3', to: undefined, by: 'stale-time' }, 'VNI 10        MAC withdrawn                02:00:00:00:00:02  was 192.0.2.3  by end of evpn-stale-time'],
  [{ kind: 'ip', of: '10.0.0.1', to: MAC }, `VNI 10        IP learned                   10.0.0.1           ${MAC}  by routing daemon`],
  [{ kind: 'vtep', of: '192.0.2.2 4789', to: 'flood and unicast' }, 'VNI 10        VTEP up                      192.0.2.2          flood and unicast  by routing daemon'],
  [{ kind: 'vtep', of: '192.0.2.2 4790', from: 'unicast only', to: undefined }, 'VNI 10        VTEP down                    192.0.2.2 UDP port 4790  was unicast only  by routing daemon'],
  [{ kind: 'claim', from: 'advertised on vm1', to: 'contested on vm1: another chassis announces this MAC' },
    `VNI 10        claim contested              ${MAC}  advertised on vm1 -> contested on vm1: another chassis announces this MAC  by routing daemon`],
  [{ kind: 'speaker', vni: undefined, of: 'routing daemon', from: 'alive', to: 'dead' }, '              FRR dead                     routing daemon     alive -> dead  by routing daemon'],
  [{ kind: 'drift', vni: undefined, of: 'flow x: somebody else deleted it; it is put back', to: undefined, by: 'others' },
    '              drift found                  flow x: somebody else deleted it; it is put back  by somebody else']
]

await t.test('a line for each kind of event', (t) => {
  const history = new History()
  history.open()
  for (const [more] of LINES) history.record(note(more))
  const lines = [...history.all()].map((one) => eventLine(transitionReport(one), (text) => text).trimEnd())
  LINES.forEach(([, expected], at) => {
    t.match(lines[at], /^\d\d:\d\d:\d\d\.\d{3}Z {2}/, 'the time of day, UTC')
    t.equal(lines[at]?.slice(15), expected)
  })
  t.end()
})

await t.test('an event that the switch has confirmed shows its latency; what others changed, that it was repaired', (t) => {
  const history = new History()
  history.open()
  history.record(note({ since: 100, key: 'flow' }))
  history.record(note({ kind: 'drift', of: 'flow y', since: 100, key: 'y' }))
  history.confirmed('flow', 103.25)
  history.confirmed('y', 101)
  const [mac, drift] = [...history.all()].map(transitionReport)
  t.match(mac, { event: 'learned', latency: 3.25 })
  t.match(mac && eventLine(mac, (text) => text), /MAC learned +3\.3 ms {2}02:/)
  t.match(drift, { event: 'repaired', latency: 1 })
  t.end()
})

const row = (more: Partial<DropReport>): DropReport => ({ vni: 10, reason: 'unknown unicast', packets: 5, bytes: 500, ...more })

await t.test('drops are what the counters grew by; a smaller counter began anew', (t) => {
  const grew = (before: readonly DropReport[], now: readonly DropReport[]) => dropsBetween(counters(before), counters(now), 'T').map(({ packets, bytes }) => [packets, bytes])
  t.strictSame(grew([row({})], [row({})]), [])
  t.strictSame(grew([row({})], [row({ packets: 7, bytes: 900 })]), [[2, 400]])
  t.strictSame(grew([], [row({})]), [[5, 500]])
  t.strictSame(grew([row({})], [row({ packets: 1, bytes: 60 })]), [[1, 60]])
  const [event] = dropsBetween(counters([]), counters([row({ vni: null, port: 'ovn-evpn-4789', reason: 'wrong VNI' })]), '2026-01-01T10:20:30.456Z')
  t.equal(event && dropLine(event, (text) => text), '10:20:30.456Z                drops                        5 packets, 500 bytes: wrong VNI on ovn-evpn-4789\n')
  t.end()
})

await t.test('colour is for terminals, and for who wants it', (t) => {
  for (const [isTerminal, env, isPainted] of [
    [true, {}, true], [true, { TERM: 'xterm' }, true], [false, {}, false], [true, { NO_COLOR: '1' }, false], [true, { NO_COLOR: '' }, true], [true, { TERM: 'dumb' }, false]
  ] as const) t.equal(paintFor(isTerminal, env)('x', 'red'), isPainted ? '\x1b[31mx\x1b[0m' : 'x', JSON.stringify([isTerminal, env]))
  t.end()
})

/** A daemon that has only a history. */
async function startHistory(t: Test, history: History, more: readonly Command[] = []): Promise<string> {
  const events = ([seq]: readonly string[]): string => JSON.stringify(eventsReport({ history } as State, seq === undefined ? undefined : Number(seq)))
  return (await startChassis(t, { commands: [{ name: 'evpn/events', min: 0, max: 1, run: events }, ...more] })).rundir
}

interface Watching {
  readonly output: { stdout: string, stderr: string }
  readonly end: () => Promise<number | null>
}

async function startWatch(t: Test, rundir: string, ...args: readonly string[]): Promise<Watching> {
  const child = spawn(process.execPath, [PROGRAM, 'watch', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '', OVS_RUNDIR: rundir } })
  t.teardown(() => void child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => { output[name] += text })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  await waitFor('watch to begin', () => output.stderr.includes('watching') || output.stderr, 30_000)
  return { output, end: () => {
    child.kill('SIGINT')
    return ended
  } }
}

await t.test('watch prints what happens from then on, plainly in a pipe, and Ctrl-C ends it with 0', async (t) => {
  const history = new History()
  history.open()
  history.record(note({ of: '02:00:00:00:00:99' }))
  const { output, end } = await startWatch(t, await startHistory(t, history))
  history.record(note({}))
  await waitFor('the event', () => /MAC learned +02:00:00:00:00:02/.test(output.stdout) || output.stdout, 30_000)
  t.notMatch(output.stdout, /00:99/, 'what was before is history')
  t.notMatch(output.stdout, /\x1b/)
  t.equal(await end(), 0)
  t.equal(output.stderr, 'ovs-evpnctl: watching what ovs-evpnd does; Ctrl-C ends\n')
})

await t.test('watch --json prints a document a line; --vni leaves out the others, not what concerns all', async (t) => {
  const history = new History()
  history.open()
  const { output, end } = await startWatch(t, await startHistory(t, history), '--json', '--vni', '1000')
  for (const vni of [2000, 1000, undefined]) history.record(note({ vni }))
  await waitFor('two documents', () => output.stdout.split('\n').length === 3 || output.stdout, 30_000)
  const [first, second] = output.stdout.split('\n').map((line) => (line === '' ? undefined : JSON.parse(line) as unknown))
  t.match(first, { kind: 'mac', event: 'learned', vni: 1000, of: MAC, to: '192.0.2.2', by: 'speaker' })
  t.match(second, { seq: 2 })
  await end()
})

await t.test('what came faster than it was read is said to be left out', async (t) => {
  const history = new History(5)
  history.open()
  const { output, end } = await startWatch(t, await startHistory(t, history))
  for (let at = 0; at < 12; at++) history.record(note({}))
  await waitFor('the note', () => output.stderr.includes('7 events left out: they came faster than they were read') || output.stderr, 30_000)
  await waitFor('the rest', () => output.stdout.split('\n').length === 6 || output.stdout, 30_000)
  await end()
})

await t.test('in a storm the daemon is asked a few times a second, whatever there is to tell', async (t) => {
  let asked: number[] = []
  const history = new History()
  history.open()
  const events = ([seq]: readonly string[]): string => {
    asked.push(performance.now())
    for (let at = 0; at < 1_000; at++) history.record(note({ of: `02:00:00:00:00:${asked.length}` }))
    return JSON.stringify(eventsReport({ history } as State, seq === undefined ? undefined : Number(seq)))
  }
  const { rundir } = await startChassis(t, { commands: [{ name: 'evpn/events', min: 0, max: 1, run: events }] })
  const { output, end } = await startWatch(t, rundir)
  asked = []
  await waitFor('ten answers to be printed', () => output.stdout.split('\n').length > 10_000 || asked.length, 60_000)
  const times = asked.slice(0, 10)
  // From question to question at least 200 ms; a timer may be a little early against another clock.
  t.ok((times.at(-1) ?? 0) - (times[0] ?? 0) > 9 * 180, `ten questions took ${Math.round((times.at(-1) ?? 0) - (times[0] ?? 0))} ms`)
  await end()
})

await t.test('Ctrl-C ends it at once while the daemon does not answer', async (t) => {
  let [asked, release] = [0, (_answer: string): void => undefined]
  const answer = JSON.stringify({ began: 'B', next: 0, missed: 0, events: [] })
  const events = (): string | Promise<string> => (asked++ === 0 ? answer : new Promise((resolve) => { release = resolve }))
  const { rundir } = await startChassis(t, { commands: [{ name: 'evpn/events', min: 0, max: 1, run: events }] })
  const { output, end } = await startWatch(t, rundir)
  await waitFor('the question that is not answered', () => asked > 1)
  let code: number | null | undefined
  void end().then((ended) => { code = ended })
  // The daemon itself would be given 30 s.
  await waitFor('its end', () => code !== undefined, 15_000)
  t.equal(code, 0)
  t.equal(output.stderr, 'ovs-evpnctl: watching what ovs-evpnd does; Ctrl-C ends\n', 'nothing is said of the daemon')
  release(answer)
})

async function ctl(t: Test, rundir: string, ...args: readonly string[]): Promise<Outcome> {
  return await run(t, process.execPath, [PROGRAM, ...args], { env: { ...process.env, OVS_RUNDIR: rundir } })
}

await t.test('history: a table, a sentence when nothing happened, and exit code 2 for what nobody knows', async (t) => {
  const history = new History()
  history.open()
  history.record(note({}))
  const events = [...history.all()].map((one) => ({ ...transitionReport(one), time: '2026-01-01T00:00:00.000Z', latency: 1.5 }))
  const answers: Readonly<Record<string, HistoryReport>> = {
    [MAC]: { began: 'B', oldest: 'O', known: true, nearest: [], events },
    '10.0.0.1': { began: 'B', known: true, nearest: [], events: [] },
    '10.0.0.2': { began: 'B', oldest: 'O', known: true, nearest: [], events: [] },
    '10.0.0.3': { began: 'B', oldest: 'O', known: false, nearest: ['10.0.0.1', '10.0.0.2'], events: [] }
  }
  const rundir = await startHistory(t, history, [{ name: 'evpn/history', min: 1, max: 2, run: ([address = '']) => JSON.stringify(answers[address]) }])
  t.equal((await ctl(t, rundir, 'history', MAC.toUpperCase())).stdout,
    'TIME                      VNI  WHAT         CHANGE      MS  BY\n2026-01-01T00:00:00.000Z   10  MAC learned  192.0.2.2  1.5  routing daemon\n')
  t.strictSame(JSON.parse((await ctl(t, rundir, 'history', MAC, '--json')).stdout), events)
  t.equal((await ctl(t, rundir, 'history', '10.0.0.1')).stdout, 'Nothing happened to 10.0.0.1 since the daemon started (B).\n')
  t.equal((await ctl(t, rundir, 'history', '10.0.0.2', '--vni', '1000')).stdout, 'Nothing happened to 10.0.0.2 in VNI 1000 since O, which is as far as is remembered.\n')
  for (const [args, sentence] of [
    ['10.0.0.3', 'nobody knows 10.0.0.3, and nothing is remembered of it; did you mean 10.0.0.1 or 10.0.0.2?'],
    ['10.0.0.256', '"10.0.0.256" is no MAC and no IP address, such as 02:00:00:00:00:01, 10.0.0.1, 2001:db8::1'],
    ['', 'history takes a MAC, an IP or the address of a VTEP: ovs-evpnctl history MAC|IP|VTEP']
  ] as const) {
    const { code, stderr } = await ctl(t, rundir, 'history', ...args.split(' ').filter((word) => word !== ''))
    t.equal(stderr, `ovs-evpnctl: ${sentence}\n`)
    t.equal(code, 2)
  }
})
