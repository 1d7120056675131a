// Pidfile and background, with real processes; the stock ovs-appctl finds them by name as it finds any Open vSwitch daemon.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { pidfileHolder } from '../../lib/daemon/process/pidfile.js'
import { type Outcome, run, temporaryFolder } from './chassis.js'

const PROGRAM = fileURLToPath(new URL('./daemon.js', import.meta.url))

interface Place {
  readonly rundir: string
  readonly pidfile: string
  readonly env: NodeJS.ProcessEnv
}

/** A run directory; whatever daemon its pidfile names at the end of the test is ended. */
function place(t: Test): Place {
  const rundir = temporaryFolder(t)
  const pidfile = path.join(rundir, 'ovs-evpnd.pid')
  t.teardown(() => {
    const holder = pidfileHolder(pidfile)
    if (holder !== undefined) process.kill(holder, 'SIGKILL')
  })
  return { rundir, pidfile, env: { ...process.env, OVS_RUNDIR: rundir } }
}

async function daemon(t: Test, { env }: Place, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return await run(t, process.execPath, [PROGRAM, ...args], { env: { ...env, ...more } })
}

async function ask(t: Test, { env }: Place, ...args: readonly string[]): Promise<Outcome> {
  return await run(t, 'ovs-appctl', ['-t', 'ovs-evpnd', ...args], { env })
}

interface Running {
  readonly pid: number
  readonly ended: Promise<unknown>
}

/** Starts the program in the foreground; done when it says that it has started. */
async function foreground(t: Test, { env }: Place, args: readonly string[]): Promise<Running> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(() => void child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  let text = ''
  for await (const piece of child.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
    text += piece
    if (text.includes('|started\n')) break
  }
  return { pid: child.pid ?? 0, ended }
}

/** Resolves when a process that is not our child is gone. */
async function gone(pid: number): Promise<void> {
  const alive = (): boolean => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  while (alive()) await new Promise(resolve => setTimeout(resolve, 10))
}

await t.test('--detach returns when the daemon is up, which ovs-appctl -t ovs-evpnd then finds', async t => {
  const at = place(t)
  const { code, stdout, stderr } = await daemon(t, at, ['--detach', '--pidfile'])
  t.equal(code, 0)
  t.equal(stdout, '')
  t.match(stderr, /\|main\|WARN\|starting\n$/, 'messages of the start are seen, later ones go nowhere')
  const pid = Number(fs.readFileSync(at.pidfile, 'utf8'))
  t.equal((await ask(t, at, 'version')).stdout, 'ovs-evpnd (ovs-evpn) 0.0.0\n')
  t.equal((await ask(t, at, 'test/where')).stdout, `${pid} /\n`, 'it is the process of the pidfile, in /')
  t.same([0, 1, 2].map(fd => fs.readlinkSync(`/proc/${pid}/fd/${fd}`)), ['/dev/null', '/dev/null', '/dev/null'])
  t.equal(sessionOf(pid), pid, 'it leads a session of its own')
  t.equal((await ask(t, at, 'exit')).code, 0)
  await gone(pid)
  t.same(fs.readdirSync(at.rundir), [], 'pidfile and socket are gone')
})

await t.test('--no-chdir keeps the directory', async t => {
  const at = place(t)
  await daemon(t, at, ['--detach', '--pidfile', '--no-chdir', '-vconsole:off'])
  t.match((await ask(t, at, 'test/where')).stdout, new RegExp(` ${process.cwd()}\n$`))
})

await t.test('a daemon that fails while starting gives its reason and its exit code to the command that started it', async t => {
  const at = place(t)
  const { code, stderr } = await daemon(t, at, ['--detach', '--pidfile', '-vconsole:off'], { TEST_FAIL: 'no way' })
  t.equal(code, 3)
  t.equal(stderr, 'ovs-evpnd: no way\n')
  t.notOk(fs.existsSync(at.pidfile), 'the pidfile is gone')
})

await t.test('a second daemon is refused, and the first one goes on', async t => {
  const at = place(t)
  const first = await foreground(t, at, ['--pidfile'])
  const second = await daemon(t, at, ['--pidfile'])
  t.equal(second.code, 3)
  const holder = `already held by node (pid ${first.pid}); stop it, or give --overwrite-pidfile`
  t.equal(second.stderr, `ovs-evpnd: pidfile ${at.pidfile}: ${holder}\n`)
  t.equal((await ask(t, at, 'test/where')).stdout.split(' ')[0], String(first.pid))
  t.notOk(fs.existsSync(`${at.pidfile}.tmp`), 'nothing is left behind')
})

await t.test('--overwrite-pidfile takes the name over, and the first daemon leaves it alone when it ends', async t => {
  const at = place(t)
  const first = await foreground(t, at, ['--pidfile'])
  const second = await foreground(t, at, ['--pidfile', '--overwrite-pidfile'])
  await run(t, 'ovs-appctl', ['-t', `${at.rundir}/ovs-evpnd.${first.pid}.ctl`, 'exit'])
  await first.ended
  t.equal(fs.readFileSync(at.pidfile, 'utf8'), `${second.pid}\n`)
  t.equal((await ask(t, at, 'test/where')).stdout.split(' ')[0], String(second.pid))
})

await t.test('the pidfile of a daemon that was killed is replaced, even when its number is alive again', async t => {
  const at = place(t)
  fs.writeFileSync(at.pidfile, `${process.pid}\n`)
  const { pid } = await foreground(t, at, ['--pidfile'])
  t.equal(fs.readFileSync(at.pidfile, 'utf8'), `${pid}\n`)
})

await t.test('a pidfile that cannot be created is a sentence', async t => {
  const at = place(t)
  const { code, stderr } = await daemon(t, at, ['--pidfile=no/such/dir/x.pid'])
  t.equal(code, 3)
  t.match(stderr, /^ovs-evpnd: cannot create pidfile .*\/no\/such\/dir\/x\.pid\.tmp: ENOENT/)
})

function sessionOf(pid: number): number {
  // proc(5): after the command's name in parentheses come state, ppid, pgrp, session.
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3])
}
