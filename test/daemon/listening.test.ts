// Which sockets are listened on, by what the kernel shows in /proc/net/unix; nobody connects to them.
import t from 'tap'
import { createServer, createConnection } from 'node:net'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { areListening, listeningPaths } from '../../lib/daemon/listening.js'

const TABLE = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 50001 /var/run/frr/zserv.api
0000000000000000: 00000003 00000000 00000000 0001 03 50002 /run/frr/bgpd.vty
0000000000000000: 00000002 00000000 00000000 0002 01 50003
0000000000000000: 00000002 00000000 00010000 0001 01 50004 @/run/frr/zebra.vty
0000000000000000: 00000002 00000000 00010000 0001 01 50005 /run/with blank
`

await t.test('a socket that somebody listens on, not one that is merely connected; /var/run is /run', (t) => {
  const wanted = ['/run/frr/zserv.api', '/run/frr/bgpd.vty', '/run/frr/zebra.vty', '/run/with blank', '/run/other']
  t.same([...listeningPaths(TABLE, new Set(wanted))], ['/run/frr/zserv.api', '/run/with blank'])
  t.end()
})

await t.test('a real socket: from listen to close, connections that are left included', async (t) => {
  // A socket's path has room for 107 bytes (uapi linux/un.h).
  const dir = mkdtempSync(`${tmpdir()}/listening-`)
  t.teardown(() => rmSync(dir, { recursive: true }))
  const path = `${dir}/socket`
  t.equal(areListening([path]), false, 'before')
  const server = createServer((peer) => peer.resume())
  server.listen(path)
  await once(server, 'listening')
  t.equal(areListening([path]), true, 'while it listens')
  t.equal(areListening([path, '/no/such/socket']), false, 'all of them have to')
  const client = createConnection(path)
  await once(client, 'connect')
  server.close()
  t.equal(areListening([path]), false, 'a connection that is left does not count')
  client.destroy()
})
