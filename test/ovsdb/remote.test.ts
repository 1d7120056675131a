// Remotes in the text form of ovsdb(7).
import t from 'tap'
import { OvsdbError, parseRemote } from '../../lib/ovsdb/index.js'

const good = [
  { text: 'unix:/var/run/openvswitch/db.sock', remote: { kind: 'unix', path: '/var/run/openvswitch/db.sock' } },
  { text: 'unix:a:b', remote: { kind: 'unix', path: 'a:b' } },
  { text: 'tcp:127.0.0.1:6641', remote: { kind: 'tcp', host: '127.0.0.1', port: 6641 } },
  { text: 'tcp:db.example.net:1', remote: { kind: 'tcp', host: 'db.example.net', port: 1 } },
  { text: 'tcp:[2001:db8::1]:65535', remote: { kind: 'tcp', host: '2001:db8::1', port: 65535 } },
  { text: 'tcp:[fe80::1%eth0]:6640', remote: { kind: 'tcp', host: 'fe80::1%eth0', port: 6640 } },
  { text: 'ssl:192.0.2.1:6640', remote: { kind: 'ssl', host: '192.0.2.1', port: 6640 } },
  { text: 'ssl:192.0.2.1', remote: { kind: 'ssl', host: '192.0.2.1', port: 6640 } },
  { text: 'tcp:[::1]', remote: { kind: 'tcp', host: '::1', port: 6640 } }
]

const bad = [
  { text: '', message: /expected unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT/ },
  { text: '/var/run/openvswitch/db.sock', message: /expected unix:PATH/ },
  { text: 'http://x', message: /expected unix:PATH/ },
  { text: 'unix:', message: /needs the path/ },
  { text: `unix:/${'x'.repeat(107)}`, message: /longer than the 107 bytes/ },
  { text: 'punix:/db.sock', message: /use unix:/ },
  { text: 'ptcp:6640', message: /use tcp:/ },
  { text: 'pssl:6640', message: /use ssl:/ },
  { text: 'tcp:', message: /needs a host/ },
  { text: 'tcp::6640', message: /needs a host/ },
  { text: 'tcp:127.0.0.1:0', message: /"0" is no TCP port/ },
  { text: 'tcp:127.0.0.1:65536', message: /"65536" is no TCP port/ },
  { text: 'tcp:127.0.0.1:', message: /"" is no TCP port/ },
  { text: 'tcp:127.0.0.1:ovsdb', message: /"ovsdb" is no TCP port/ },
  { text: 'tcp:2001:db8::1:6640', message: /IPv6 address in brackets/ },
  { text: 'tcp:[2001:db8::1:6640', message: /IPv6 address in brackets/ },
  { text: 'tcp:192.0.2.1:6640,tcp:192.0.2.2:6640', message: /expected tcp:HOST:PORT/ }
]

await t.test('remotes', (t) => {
  for (const { text, remote } of good) t.strictSame(parseRemote(text), remote, text)
  t.end()
})

await t.test('what is none is refused with the reason', (t) => {
  for (const { text, message } of bad) {
    t.throws(() => parseRemote(text), OvsdbError, text)
    t.throws(() => parseRemote(text), { message }, text)
  }
  t.end()
})
