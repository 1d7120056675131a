// Where the control socket can be put, and who may use it.
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import t from 'tap'
import { groupId } from '../../lib/daemon/control/group.js'
import { ControlServer } from '../../lib/daemon/control/server.js'
import { createLog } from '../../lib/daemon/log/log.js'
import { run, startChassis, temporaryFolder } from './chassis.js'

function server(group?: string): ControlServer {
  const log = createLog({ console: () => undefined }).module('unixctl')
  return new ControlServer({ commands: [], log, ...(group === undefined ? {} : { group }) })
}

await t.test('a socket file left by a dead process is replaced', async t => {
  const socket = path.join(temporaryFolder(t), 'x.ctl')
  // A process that ends without closing its server leaves the file.
  const program = `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`
  await run(t, process.execPath, ['-e', program])
  t.ok(fs.existsSync(socket), 'the leftover is there')
  const replacing = server()
  t.teardown(() => replacing.close())
  await replacing.listen(socket)
  const client = net.connect({ path: socket })
  await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject))
  client.destroy()
})

await t.test('listening is refused with a sentence', async t => {
  const { socket, rundir } = await startChassis(t)
  const file = path.join(rundir, 'file')
  fs.writeFileSync(file, 'text')
  const refused: readonly (readonly [string, string | RegExp])[] = [
    [socket, 'another process listens there; stop it or give another --unixctl'],
    [file, 'a file that is no socket is there; remove it or give another --unixctl'],
    [`${rundir}/no/x.ctl`, /ENOENT|EACCES/],
    [`${rundir}/${'x'.repeat(200)}`, 'the path of a socket has at most 107 bytes']
  ]
  for (const [at, why] of refused) {
    const message = typeof why === 'string' ? `cannot listen on control socket ${at}: ${why}` : why
    await t.rejects(server().listen(at), { message }, at)
  }
  const message = '--unixctl-group=no-such-group: no such group in /etc/group'
  await t.rejects(server('no-such-group').listen(`${rundir}/y.ctl`), { message })
  t.equal(fs.readFileSync(file, 'utf8'), 'text', 'the file in the way is untouched')
})

await t.test('the group of --unixctl-group may use the socket, nobody else', async t => {
  const socket = path.join(temporaryFolder(t), 'x.ctl')
  const grouped = server('daemon')
  t.teardown(() => grouped.close())
  await grouped.listen(socket)
  const { mode, gid } = fs.statSync(socket)
  t.equal(mode & 0o777, 0o660)
  t.equal(gid, groupId('daemon'))
})

await t.test('groups by name and number', t => {
  const file = path.join(temporaryFolder(t), 'group')
  fs.writeFileSync(file, 'root:x:0:\n\nbroken\nopenvswitch:x:117:alice,bob\n')
  t.equal(groupId('openvswitch', file), 117)
  t.equal(groupId('root', file), 0)
  t.equal(groupId('42', file), 42)
  for (const name of ['broken', 'openv', '', 'x']) {
    t.throws(() => groupId(name, file), { message: `--unixctl-group=${name}: no such group in ${file}` })
  }
  t.end()
})

await t.test('two commands of one name are a fault noticed at start', t => {
  const command = { name: 'x', min: 0, max: 0, run: () => '' }
  const log = createLog({ console: () => undefined }).module('unixctl')
  t.throws(() => new ControlServer({ commands: [command, command], log }), { message: 'two control commands with the same name' })
  t.end()
})
