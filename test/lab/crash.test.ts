// However the program that built a lab ends, nothing of the lab stays.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { removeLab, removeOrphans } from './down.js'
import { Lab } from './lab.js'
import { leftovers, surroundings } from './leftovers.js'
import { isAlive, plainEnv, processByPid } from './process.js'
import { readProcesses } from './state.js'

const before = surroundings()
const programPath = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url))

function start(name: string, ...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [programPath(name), ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: plainEnv() })
}

/** Returns when the program has printed a line that contains the text. */
async function line(child: ChildProcess, text: string): Promise<void> {
  if (child.stdout === null) throw new Error('standard output is not a pipe')
  for await (const seen of createInterface({ input: child.stdout })) if (seen.includes(text)) return
  throw new Error(`the program ended without printing '${text}'`)
}

const stages = ['network namespaces', 'Open vSwitch on', 'FRR on', 'BGP sessions', 'lab: up'] as const

for (const [i, stage] of stages.entries()) {
  await t.test(`kill -9 when the program says '${stage}': down removes what is there`, async (t) => {
    const id = `kill${i}`
    t.teardown(() => removeLab(id))
    const child = start('main.js', 'up', '--id', id, '--no-daemon')
    await line(child, stage)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const pids = readProcesses(id).map(({ pid }) => pid)
    t.not(leftovers(id).length, 0, 'the kill came in the middle')
    const [code] = await once(start('main.js', 'down', '--id', id), 'exit') as [number]
    t.equal(code, 0)
    t.same(leftovers(id, pids), [])
    t.same(surroundings(), before)
  })
}

const endings = [
  { name: 'SIGINT', ending: 'wait', end: (child: ChildProcess) => child.kill('SIGINT'), code: 130 },
  { name: 'SIGTERM', ending: 'wait', end: (child: ChildProcess) => child.kill('SIGTERM'), code: 143 },
  { name: 'SIGHUP', ending: 'wait', end: (child: ChildProcess) => child.kill('SIGHUP'), code: 129 },
  { name: 'an uncaught exception', ending: 'throw', end: () => true, code: 1 },
  { name: 'process.exit', ending: 'exit', end: () => true, code: 3 }
] as const

for (const [i, { name, ending, end, code }] of endings.entries()) {
  await t.test(`the lab goes down with its program on ${name}`, async (t) => {
    const id = `end${i}`
    t.teardown(() => removeLab(id))
    const child = start('mishap.js', id, ending)
    const exited = once(child, 'exit')
    await line(child, 'up')
    const pids = readProcesses(id).map(({ pid }) => pid)
    end(child)
    t.same(await exited, [code, null])
    t.same(leftovers(id, pids), [])
  })
}

await t.test('SIGTERM in the middle of up', async (t) => {
  const child = start('main.js', 'up', '--id', 'midway', '--no-daemon')
  t.teardown(() => removeLab('midway'))
  const exited = once(child, 'exit')
  await line(child, 'Open vSwitch on')
  child.kill('SIGTERM')
  t.same(await exited, [143, null])
  t.same(leftovers('midway'), [])
})

await t.test('a lab orphaned by kill -9 is removed by the next program that looks, a living one is not', async (t) => {
  t.teardown(() => Promise.all(['orphan', 'alive'].map(removeLab)))
  const [orphan, alive] = [start('mishap.js', 'orphan', 'wait'), start('mishap.js', 'alive', 'wait')]
  await Promise.all([line(orphan, 'up'), line(alive, 'up')])
  orphan.kill('SIGKILL')
  await once(orphan, 'exit')
  await removeOrphans()
  t.same(leftovers('orphan'), [])
  t.not(leftovers('alive').length, 0)
  alive.kill('SIGTERM')
  await once(alive, 'exit')
})

await t.test('two programs that remove the same lab at once do not disturb each other', async (t) => {
  const lab = await Lab.up({ chassis: 1, linux: 1 })
  const others = [1, 2].map(() => once(start('main.js', 'down', '--id', lab.id), 'exit'))
  await lab.down()
  t.same(await Promise.all(others), [[0, null], [0, null]])
  t.same(leftovers(lab.id), [])
})

await t.test('a pid in the state file that has gone to another process is left alone', async (t) => {
  const bystander = spawn('sleep', ['60'], { stdio: 'ignore' })
  t.teardown(() => bystander.kill())
  const identity = processByPid(bystander.pid ?? 0)
  if (identity === undefined) throw new Error('sleep did not start')
  const lab = await Lab.up({ chassis: 0, linux: 1, frr: false })
  const record = { host: 'l1', name: 'zebra', pid: identity.pid, start: String(Number(identity.start) - 1) }
  appendFileSync(`${lab.plan.dir}/processes`, JSON.stringify(record) + '\n{"host":"l1","na')
  await lab.down()
  t.ok(isAlive(identity), 'the process that has the number now lives')
  t.same(leftovers(lab.id), [])
})

await t.test('a build that fails leaves nothing and says what failed', async (t) => {
  const id = 'fails'
  const workload = { name: 'w', vtep: 'l1', vni: 1000, mac: '02:00:00:00:00:01', addresses: ['10.0.0.1/99'] }
  const attempt = Lab.up({ id, chassis: 0, frr: false, workloads: [workload] })
  await t.rejects(attempt, { message: /ip -n evpn-fails-w -batch.*10\.0\.0\.1\/99/s })
  t.same(leftovers(id), [])
})
