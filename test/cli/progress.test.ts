// What takes long says what it is at, on a terminal and nowhere else, and leaves nothing behind.
import net from 'node:net'
import path from 'node:path'
import t, { type Test } from 'tap'
import { runCli } from '../../lib/cli/run.js'
import { temporaryFolder } from '../control/chassis.js'
import { waitFor } from '../lab/wait.js'

/** A daemon that takes questions and says nothing; with a function that ends its connections. */
async function muteDaemon(t: Test): Promise<readonly [socket: string, hangUp: () => void]> {
  const file = path.join(temporaryFolder(t), 'ctl')
  const clients = new Set<net.Socket>()
  const server = net.createServer((client) => clients.add(client.on('error', () => undefined)))
  await new Promise<void>((resolve) => void server.listen({ path: file }, resolve))
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  return [file, () => { for (const client of clients) client.destroy() }]
}

for (const [command, words, code] of [['explain', ['10', '10.0.0.1'], 1], ['doctor', [], 2], ['plan', ['evpn-suppress=true'], 1]] as const) {
  await t.test(`${command} says on a terminal what it waits for, in a pipe nothing`, async (t) => {
    const [socket, hangUp] = await muteDaemon(t)
    const said = { terminal: '', dumb: '', pipe: '' }
    const run = (where: keyof typeof said, isErrorTerminal: boolean, env = {}) => runCli([command, ...words, '-t', socket], env, '1.2.3', {
      print: () => undefined, complain: (text) => { said[where] += text }, isErrorTerminal
    })
    const runs = [run('terminal', true), run('dumb', true, { TERM: 'dumb' }), run('pipe', false)]
    await waitFor('two lines of progress', () => said.terminal.split('\r').length > 2 || said.terminal)
    hangUp()
    t.strictSame(await Promise.all(runs), [code, code, code])
    const [, first = '', ...others] = said.terminal.split('\r\x1b[K')
    t.match(first, /^asking ovs-evpnd, \d+ s$/, 'each line is written over the one before')
    const last = others.at(-1)
    t.notMatch(last, 'asking', 'and the last is gone')
    t.equal(said.pipe, last, 'in a pipe there is what stands in the end')
    t.equal(said.dumb, last, 'on a terminal that cannot erase, too')
  })
}
