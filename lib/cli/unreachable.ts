// Why the daemon could not be asked, in a sentence that says which socket, what is wrong with it and what to do: one that does not run,
// one that may not be asked, and one that runs and does not answer are helped in different ways.
import fs from 'node:fs'
import path from 'node:path'
import { CallError } from './client.js'
import { EXIT_UNREACHABLE, Failure } from './failure.js'
import { serviceOf, stateOf } from './processes.js'
import { command } from './shell.js'
import { START_BY_HAND, startCommand } from './start.js'

/** absent: nobody is there; denied: not for us; silent: somebody is there and does not answer. */
export type Trouble = 'absent' | 'denied' | 'silent'

export class Unreachable extends Failure {
  readonly trouble: Trouble
  /** Commands that help, if any is known. */
  readonly mend: readonly string[]

  constructor(trouble: Trouble, message: string, mend: readonly string[] = []) {
    super(EXIT_UNREACHABLE, message)
    this.trouble = trouble
    this.mend = mend
  }
}

/** The failure for what went wrong with a socket. */
export function unreachable(socket: string, error: NodeJS.ErrnoException): Unreachable {
  switch (error instanceof CallError ? error.kind : error.code) {
    case 'EACCES':
    case 'EPERM': return denied(socket)
    case 'ENOENT': return notRunning(socket, 'there is no such socket')
    case 'ECONNREFUSED': return nobodyListens(socket)
    // More wait to be let in than may.
    case 'EAGAIN': return silent(socket, 'lets nobody in')
    case 'silent': return silent(socket, error.message)
    case 'closed': return new Unreachable('silent', `the connection to ${socket} was closed without an answer: ovs-evpnd is ending, or somebody else listens there; ask again in a moment`)
    case 'strange': return new Unreachable('silent', `what answers on ${socket} is no ovs-evpnd: ${error.message}; give its control socket: -t PATH`)
    default: return new Unreachable('absent', `cannot ask ovs-evpnd on ${socket}: ${error.message}`)
  }
}

/** `root`: of the file system in which the service's unit may be. */
export function notRunning(tried: string, why: string, root?: string): Unreachable {
  const start = startCommand(path.dirname(tried), root)
  return new Unreachable('absent', `ovs-evpnd is not running: tried ${tried}, ${why}; start it with: ${start}`, [start])
}

export function denied(socket: string): Unreachable {
  return new Unreachable('denied', `not allowed to connect to ${socket}; use root, or a member of the daemon's --unixctl-group`)
}

/** In a directory where we may not look, we cannot know what sockets there are. */
export function deniedIn(directory: string): Unreachable {
  return new Unreachable('denied', `not allowed to look for ovs-evpnd's socket in ${directory}; use root, or give the socket: -t PATH`)
}

/** The file outlives the process that listened on it. */
function nobodyListens(socket: string): Unreachable {
  if (fs.statSync(socket, { throwIfNoEntry: false })?.isSocket() === false) return new Unreachable('absent', `${socket} is no socket; give the control socket of ovs-evpnd: -t PATH`)
  const pid = pidOf(socket)
  if (pid === undefined || stateOf(pid) === 'gone') return notRunning(socket, 'nobody listens on it: a daemon that was killed left it behind')
  return new Unreachable('silent', `process ${pid} is there, and nobody listens on its socket ${socket}: ovs-evpnd is starting or ending; ask again in a moment`)
}

function silent(socket: string, what: string): Unreachable {
  const pid = pidOf(socket)
  if (pid === undefined || stateOf(pid) === 'gone') return new Unreachable('silent', `who listens on ${socket} ${what}: it hangs, or is very busy; ask again in a moment`)
  if (stateOf(pid) === 'stopped') {
    const go = `kill -CONT ${pid}`
    return new Unreachable('silent', `ovs-evpnd (process ${pid}, ${socket}) was stopped by a signal or a debugger, so it does not answer; let it go on with: ${go}`, [go])
  }
  const service = serviceOf(pid)
  const restart = service === undefined ? [`kill -9 ${pid}`, START_BY_HAND] : [command`systemctl restart ${service}`]
  return new Unreachable('silent', `ovs-evpnd runs (process ${pid}) and ${what} on ${socket}: it hangs, or is very busy; ask again, or start it anew, which costs no packet: ${restart.join('; ')}`, restart)
}

/** Control sockets are called PROGRAM.PID.ctl. */
function pidOf(socket: string): number | undefined {
  const text = /\.([0-9]+)\.ctl$/.exec(path.basename(socket))?.[1]
  return text === undefined ? undefined : Number(text)
}
