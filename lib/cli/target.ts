// Which control socket to ask: the one named, the one of the pidfile, or the only one in the run directory that answers.
import fs from 'node:fs'
import path from 'node:path'
import { probeSocket } from '../daemon/control/probe.js'
import { type Environment, runDirectory } from '../daemon/options.js'
import { EXIT_UNREACHABLE, EXIT_USAGE, Failure } from './failure.js'
import { denied, deniedIn, notRunning, unreachable } from './unreachable.js'

const PROGRAM = 'ovs-evpnd'

/** Path of the socket. `target` is a path, or the name of a pidfile without `.pid`, as for ovs-appctl. Rejects with Failure. */
export async function findTarget(target: string | undefined, env: Environment): Promise<string> {
  const rundir = runDirectory(env)
  if (target !== undefined) return target.includes('/') ? path.resolve(target) : socketOfPidfile(rundir, target)
  const pid = readPid(path.join(rundir, `${PROGRAM}.pid`))
  const named = pid === undefined ? undefined : path.join(rundir, `${PROGRAM}.${pid}.ctl`)
  const probed = named === undefined ? undefined : await probeSocket(named)
  if (named !== undefined && probed === 'answered') return named
  if (named !== undefined && probed === 'denied') throw denied(named)
  return await onlySocket(rundir, named)
}

function socketOfPidfile(rundir: string, name: string): string {
  const pidfile = path.join(rundir, `${name}.pid`)
  const pid = readPid(pidfile)
  if (pid === undefined) {
    throw new Failure(EXIT_UNREACHABLE, `no daemon "${name}": ${pidfile} holds no pid; give its control socket instead: -t PATH`)
  }
  return path.join(rundir, `${name}.${pid}.ctl`)
}

function readPid(file: string): number | undefined {
  try {
    const pid = parseInt(fs.readFileSync(file, 'utf8'), 10)
    return Number.isNaN(pid) ? undefined : pid
  } catch {
    return undefined
  }
}

/** The socket that answers when it is the only one; `named` has been tried. */
async function onlySocket(rundir: string, named: string | undefined): Promise<string> {
  const found = { answered: [] as string[], denied: [] as string[], dead: [] as string[] }
  for (const socket of listSockets(rundir)) found[await probeSocket(socket)].push(socket)
  const [first] = found.answered
  if (first === undefined) {
    if (found.denied[0] !== undefined) throw denied(found.denied[0])
    const dead = named ?? found.dead.at(-1)
    throw dead === undefined ? notRunning(path.join(rundir, `${PROGRAM}.*.ctl`), 'nothing answers') : unreachable(dead, deadBecause(dead))
  }
  if (found.answered.length > 1) {
    throw new Failure(EXIT_USAGE, `several daemons are running, choose one with -t: ${found.answered.join(', ')}`)
  }
  return first
}

function listSockets(rundir: string): string[] {
  const pattern = new RegExp(`^${PROGRAM}\\.[0-9]+\\.ctl$`)
  try {
    return fs.readdirSync(rundir).filter(name => pattern.test(name)).sort().map(name => path.join(rundir, name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') throw deniedIn(rundir)
    return []
  }
}

function deadBecause(socket: string): NodeJS.ErrnoException {
  return Object.assign(new Error('nothing answers'), { code: fs.existsSync(socket) ? 'ECONNREFUSED' : 'ENOENT' })
}
