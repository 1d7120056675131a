// A daemon that cannot be asked: which socket was tried, what is wrong with it, and what to do, in one sentence each.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import t, { type Test } from 'tap'
import { stateOf } from '../../lib/cli/processes.js'
import { runCli } from '../../lib/cli/run.js'
import { temporaryFolder } from '../control/chassis.js'
import { waitFor } from '../lab/wait.js'

process.env['OVS_CTL_TIMEOUT'] = '1'
const START = 'start it with: ovs-evpnd --detach --pidfile'

/** What is complained of, and the exit code. */
async function ask(rundir: string, ...args: readonly string[]): Promise<{ readonly said: string, readonly code: number }> {
  let said = ''
  const code = await runCli(args.length === 0 ? ['macs'] : args, { OVS_RUNDIR: rundir }, '', { print: (text) => { said += text }, complain: (text) => { said += text } })
  return { said, code }
}

/** A process that does nothing, ended after the test. */
async function idler(t: Test): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' })
  t.teardown(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  return child as ChildProcess & { readonly pid: number }
}

/** Listens on a socket, until the test is over or the function is called. */
async function listen(t: Test, socket: string, onConnection: (client: net.Socket) => void): Promise<() => Promise<void>> {
  const clients = new Set<net.Socket>()
  const server = net.createServer((client) => {
    clients.add(client)
    client.on('error', () => undefined)
    onConnection(client)
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  const close = async (): Promise<void> => {
    for (const client of clients) client.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  t.teardown(close)
  return close
}

await t.test('connected to, and no answer: it hangs or is busy, was stopped, or nobody knows who it is', async (t) => {
  const rundir = temporaryFolder(t)
  const child = await idler(t)
  const socket = path.join(rundir, `ovs-evpnd.${child.pid}.ctl`)
  await listen(t, socket, () => undefined)
  t.strictSame(await ask(rundir), {
    said: `ovs-evpnctl: ovs-evpnd runs (process ${child.pid}) and has not answered for 1 s on ${socket}: it hangs, or is very busy; ask again, or start it anew, which costs no packet: `
      + `kill -9 ${child.pid}; ovs-evpnd --detach --pidfile\n`, code: 1
  })
  child.kill('SIGSTOP')
  await waitFor('the process to be stopped', () => stateOf(child.pid) === 'stopped')
  t.strictSame(await ask(rundir), {
    said: `ovs-evpnctl: ovs-evpnd (process ${child.pid}, ${socket}) was stopped by a signal or a debugger, so it does not answer; let it go on with: kill -CONT ${child.pid}\n`, code: 1
  })
  const { said, code } = await ask(rundir, 'doctor', '--json')
  t.equal(code, 2)
  t.match(JSON.parse(said), { findings: [{ id: 'daemon-silent', severity: 'error', mend: [`kill -CONT ${child.pid}`] }] })
  const nameless = path.join(rundir, 'x.ctl')
  await listen(t, nameless, () => undefined)
  t.equal((await ask(rundir, 'macs', '-t', nameless)).said, `ovs-evpnctl: who listens on ${nameless} has not answered for 1 s: it hangs, or is very busy; ask again in a moment\n`)
})

await t.test('one that is slow is waited for', async (t) => {
  process.env['OVS_CTL_TIMEOUT'] = '20'
  t.teardown(() => { process.env['OVS_CTL_TIMEOUT'] = '1' })
  const rundir = temporaryFolder(t)
  await listen(t, path.join(rundir, 'ovs-evpnd.1.ctl'), (client) => {
    client.once('data', () => {
      client.write('{"id":0,')
      setTimeout(() => client.write('"error":null,'), 200)
      setTimeout(() => client.write('"result":"[]\\n"}'), 400)
    })
  })
  t.strictSame(await ask(rundir), { said: 'No remote MACs.\n', code: 0 })
})

await t.test('a socket that nobody listens on: its daemon was killed, or starts or ends just now', async (t) => {
  const rundir = temporaryFolder(t)
  const child = await idler(t)
  const socket = path.join(rundir, `ovs-evpnd.${child.pid}.ctl`)
  const kept = path.join(rundir, 'kept')
  const close = await listen(t, socket, () => undefined)
  fs.linkSync(socket, kept)
  await close()
  fs.renameSync(kept, socket)
  t.strictSame(await ask(rundir), {
    said: `ovs-evpnctl: process ${child.pid} is there, and nobody listens on its socket ${socket}: ovs-evpnd is starting or ending; ask again in a moment\n`, code: 1
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  const left = { said: `ovs-evpnctl: ovs-evpnd is not running: tried ${socket}, nobody listens on it: a daemon that was killed left it behind; ${START}\n`, code: 1 }
  t.strictSame(await ask(rundir), left)
  t.strictSame(await ask(rundir, 'macs', '-t', socket), left)
  fs.writeFileSync(path.join(rundir, 'ovs-evpnd.pid'), `${child.pid}\n`)
  t.strictSame(await ask(rundir), left, 'the pidfile names it')
})

await t.test('what is no control socket, or no daemon of ours', async (t) => {
  const rundir = temporaryFolder(t)
  const file = path.join(rundir, 'file')
  fs.writeFileSync(file, '')
  t.strictSame(await ask(rundir, 'macs', '-t', file), { said: `ovs-evpnctl: ${file} is no socket; give the control socket of ovs-evpnd: -t PATH\n`, code: 1 })
  const socket = path.join(rundir, 'other.ctl')
  let answer = 'HTTP/1.1 400 Bad Request\r\n\r\n'
  await listen(t, socket, (client) => client.once('data', () => client.end(answer)))
  t.match(await ask(rundir, 'macs', '-t', socket), { said: `what answers on ${socket} is no ovs-evpnd: `, code: 1 })
  answer = '{"id":0,"error":null,"result":7}'
  t.match(await ask(rundir, 'macs', '-t', socket), { said: `what answers on ${socket} is no ovs-evpnd: the answer is no text; give its control socket: -t PATH\n`, code: 1 })
  answer = ''
  t.match(await ask(rundir, 'macs', '-t', socket), { said: `the connection to ${socket} was closed without an answer: ovs-evpnd is ending, or somebody else listens there`, code: 1 })
  const long = `/${'x'.repeat(120)}`
  t.strictSame(await ask(rundir, 'macs', '-t', long), { said: `ovs-evpnctl: cannot ask ovs-evpnd on ${long}: the path of a socket has at most 107 bytes\n`, code: 1 })
})
