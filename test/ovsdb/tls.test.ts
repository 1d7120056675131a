// ssl: remotes: both sides prove themselves against the CA; a server of another CA is refused before a byte of OVSDB is exchanged.
import t from 'tap'
import { comment } from '../../lib/ovsdb/index.js'
import { authority } from './authority.js'
import { follow, untilUp } from './follower.js'
import { contentsOf, contentsOfReplica } from './oracle.js'
import { startServer, until } from './server.js'

await t.test('ssl:', async (t) => {
  const ours = authority(t, 'our CA')
  const theirs = authority(t, 'another CA')
  const { privateKey, certificate, caCert } = ours.issue('server')
  const server = await startServer(t, {
    arguments: ['--remote=pssl:0:127.0.0.1', `--private-key=${privateKey}`, `--certificate=${certificate}`, `--ca-cert=${caCert}`]
  })
  await server.vsctl('add-br', 'br-int')
  const remote = `ssl:127.0.0.1:${server.port}`
  const client = ours.issue('client')

  await t.test('with the right CA: replica and transactions as ever', async (t) => {
    const follower = follow(t, remote, { tls: client })
    await untilUp(follower)
    t.strictSame(contentsOfReplica(follower.client), await contentsOf(server))
    t.strictSame(await follower.client.transact([comment('over TLS')]), [{}])
  })

  await t.test('a server whose certificate another CA signed is refused', async (t) => {
    const follower = follow(t, remote, { tls: { ...client, caCert: theirs.issue('x').caCert } })
    await until('the refusal', () => follower.downs.length > 0)
    t.match(follower.downs[0], /certificate/)
    t.equal(follower.ups, 0)
  })

  await t.test('our certificate of another CA is refused by the server', async (t) => {
    const follower = follow(t, remote, { tls: { ...theirs.issue('client'), caCert } })
    await until('the refusal', () => follower.downs.length > 0)
    t.equal(follower.ups, 0)
  })

  await t.test('a file that cannot be read is named', async (t) => {
    const follower = follow(t, remote, { tls: { ...client, privateKey: '/no/such/key.pem' } })
    await until('the failure', () => follower.downs.length > 0)
    t.match(follower.downs[0], /cannot read the private key: .*\/no\/such\/key\.pem/)
  })

  await t.test('a file that is no certificate is told, not thrown', async (t) => {
    const follower = follow(t, remote, { tls: { ...client, certificate: '/dev/null' } })
    await until('the failure', () => follower.downs.length > 0)
    t.match(follower.downs[0], /cannot use .*\/dev\/null/)
  })
})
