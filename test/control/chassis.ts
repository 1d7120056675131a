// What the tests of the control socket share: a folder of their own, a control server in it, and processes with their output.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { Test } from 'tap'
import type { Command } from '../../lib/daemon/control/command.js'
import { daemonCommands } from '../../lib/daemon/control/daemon-commands.js'
import { evpnCommands } from '../../lib/daemon/control/evpn-commands.js'
import { ControlServer } from '../../lib/daemon/control/server.js'
import { createLog, type Log } from '../../lib/daemon/log/log.js'
import type { Reports } from '../../lib/daemon/report/report.js'
import { fakeReports } from './reports.js'

/** A temporary folder with a short name (a socket's path has 107 characters at most), removed after the test. */
export function temporaryFolder(t: Test): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'evpn-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface Chassis {
  readonly rundir: string
  readonly socket: string
  readonly server: ControlServer
  readonly log: Log
  /** Log lines so far. */
  readonly lines: readonly string[]
  /** Every `exit` asked for, true with --cleanup. */
  readonly exits: readonly boolean[]
}

export interface ChassisOptions {
  readonly reports?: Reports
  /** Commands besides the usual ones. */
  readonly commands?: readonly Command[]
}

/** A control server with every command, listening in a folder of its own until the test is over. */
export async function startChassis(t: Test, options: ChassisOptions = {}): Promise<Chassis> {
  const rundir = temporaryFolder(t)
  const socket = path.join(rundir, 'ovs-evpnd.1.ctl')
  const lines: string[] = []
  const exits: boolean[] = []
  const log = createLog({ verbose: ['console:dbg'], console: line => lines.push(line) })
  const commands = [
    ...daemonCommands({
      version: '1.2.3',
      log,
      exit: cleanup => void exits.push(cleanup),
      memory: () => ({ vteps: 3, macs: 4 }),
      counters: () => ({ tick: 12, resync: 0, flow_mod: 7 })
    }),
    ...evpnCommands(options.reports ?? fakeReports()),
    ...(options.commands ?? [])
  ]
  const server = new ControlServer({ commands, log: log.module('unixctl') })
  await server.listen(socket)
  t.teardown(() => server.close())
  return { rundir, socket, server, log, lines, exits }
}

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
}

/** Runs a program to its end; it is killed when the test ends earlier. */
export async function run(t: Test, command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  // Without the options that the test runner gives to every Node process below it: they double the time to start one.
  const env = { ...(options.env ?? process.env), NODE_OPTIONS: '' }
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  t.teardown(() => void child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.stdout += text)
  child.stderr.setEncoding('utf8').on('data', (text: string) => output.stderr += text)
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve({ code, ...output }))
  })
}

/** The stock ovs-appctl against a control socket. */
export async function appctl(t: Test, socket: string, ...args: readonly string[]): Promise<Outcome> {
  return await run(t, 'ovs-appctl', ['-t', socket, ...args])
}

/** Sends pieces, one write each, and returns everything received until the server ends the connection or `until` is seen. */
export async function exchange(t: Test, socket: string, pieces: readonly (string | Buffer)[], until?: RegExp): Promise<string> {
  const client = net.connect({ path: socket })
  t.teardown(() => client.destroy())
  let received = ''
  const done = new Promise<string>(resolve => {
    client.setEncoding('utf8').on('data', (text: string) => {
      received += text
      if (until?.test(received) === true) resolve(received)
    })
    client.on('close', () => resolve(received))
    // A server that has heard enough resets the connection under our last writes.
    client.on('error', () => undefined)
  })
  for (const piece of pieces) await new Promise<void>(resolve => client.write(piece, () => resolve()))
  const text = await done
  client.destroy()
  return text
}
