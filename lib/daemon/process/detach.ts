// Going into the background. Node cannot fork, so the daemon is started a second time in a session of its own, with a pipe to
// the first process, which waits on it: it exits when the daemon says that it is up, or with the daemon's own exit code.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { replaceDescriptor } from './libc.js'

/** Tells the second process which descriptor its parent waits on. */
const STARTUP_VARIABLE = 'OVS_EVPND_STARTUP_FD'
const STARTUP_FD = 3
const STDERR_FD = 2

/** True in the process that `detach` started. */
export function isDetached(): boolean {
  return process.env[STARTUP_VARIABLE] === String(STARTUP_FD)
}

/**
 * Starts this program again in the background, with the same arguments. Resolves with the exit code for this process: 0 once the
 * daemon is up, else the daemon's own code. Until then the daemon's messages go to our standard error.
 */
export async function detach(): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    env: { ...process.env, [STARTUP_VARIABLE]: String(STARTUP_FD) },
    stdio: ['ignore', 'ignore', 'inherit', 'pipe']
  })
  return await new Promise(resolve => {
    child.stdio[STARTUP_FD]?.once('data', () => resolve(0))
    child.once('error', error => resolve(fail(`cannot start in the background: ${error.message}`)))
    child.once('exit', (code, signal) => resolve(code || fail(`the daemon ended while starting (${signal ?? 'without an error'})`)))
  })
}

function fail(text: string): number {
  process.stderr.write(`ovs-evpnd: ${text}\n`)
  return 1
}

/** In the detached process: tells the parent that the daemon is up, and lets go of its terminal and of the directory. */
export function completeDetach(chdir: boolean): void {
  const nowhere = fs.openSync('/dev/null', 'w')
  if (chdir) process.chdir('/')
  try {
    fs.writeSync(STARTUP_FD, 'up')
    fs.closeSync(STARTUP_FD)
  } catch {
    // Nobody waits any more: the daemon is up all the same.
  }
  replaceDescriptor(nowhere, STDERR_FD)
  fs.closeSync(nowhere)
}
