// The listener of --metrics: for which names and paths it answers, and what it does with everything else.
import net from 'node:net'
import t from 'tap'
import { isLoopback, isOurName, namesOfMachine, parseListenAddress } from '../../lib/daemon/http/address.js'
import { Cached } from '../../lib/daemon/http/cached.js'
import { HttpServer, type Route } from '../../lib/daemon/http/server.js'
import { createLog } from '../../lib/daemon/log/log.js'

await t.test('HOST:PORT', (t) => {
  const cases: readonly (readonly [text: string, expected: string | undefined, isLoopback?: boolean])[] = [
    ['127.0.0.1:9475', '127.0.0.1 9475', true], [':9475', '127.0.0.1 9475', true], ['localhost:1', 'localhost 1', true], ['[::1]:65535', '::1 65535', true],
    ['[2001:DB8:0::1]:80', '2001:db8::1 80', false], ['0.0.0.0:9475', '0.0.0.0 9475', false], ['c1.example.net:9475', 'c1.example.net 9475', false],
    ['', undefined], ['h', undefined], ['h:', undefined], ['h:0', undefined], ['h:65536', undefined], ['h:x', undefined], ['::1:80', undefined], ['[::1]', undefined],
    ['[::g]:80', undefined], ['[10.0.0.1]:80', undefined], ['a b:80', undefined], ['http://h:80', undefined]
  ]
  for (const [text, expected, loopback] of cases) {
    const address = parseListenAddress(text)
    t.equal(address && `${address.host} ${address.port}`, expected, text)
    if (address !== undefined) t.equal(isLoopback(address.host), loopback, `${text} ${loopback ? 'is' : 'is not'} loopback`)
  }
  t.end()
})

await t.test('a Host header that is an address, or a name of ours', (t) => {
  const names = new Set(['localhost', 'c1'])
  for (const host of ['127.0.0.1', '127.0.0.1:9475', '[::1]:9475', '[::1]', '192.0.2.1:1', 'localhost:9475', 'C1', 'c1.:9475']) t.ok(isOurName(host, names), host)
  for (const host of [undefined, '', 'evil.example', 'evil.example:9475', '127.0.0.1.evil.example', 'c1.evil.example', 'localhost:9475@evil', '::1', '[evil]', '127.0.0.1:', ' ']) {
    t.notOk(isOurName(host, names), String(host))
  }
  t.end()
})

await t.test('what the machine is called: its host name with and without its domain, as its own files know it', (t) => {
  const hosts = '127.0.0.1 localhost\n# 10.0.0.9 c1 evil.example\n127.0.1.1\tC1.Example.NET c1 # us\n10.0.0.2 c2 c2.example.net\n0.0.0.0 evil.example\n'
  const names = [...namesOfMachine('c1', hosts, 'nameserver 10.0.0.53\nsearch corp.example lab.\n; domain evil.example\n')].sort()
  t.strictSame(names, ['c1', 'c1.corp.example', 'c1.example.net', 'c1.lab', 'localhost'])
  t.strictSame([...namesOfMachine('C1.example.net', '', '')].sort(), ['c1', 'c1.example.net', 'localhost'])
  t.end()
})

await t.test('a value is got once for all who ask at the same time, and again when it is too old', async (t) => {
  let got = 0
  const never = new Cached(Infinity, () => Promise.resolve(++got))
  t.strictSame(await Promise.all([never.get(), never.get()]), [1, 1])
  t.equal(await never.get(), 1, 'not old yet')
  const always = new Cached(0, () => Promise.resolve(++got))
  t.equal(await always.get(), 2)
  t.equal(await always.get(), 3, 'too old')
  const failing = new Cached(0, () => Promise.reject(new Error('no switch')))
  await t.rejects(failing.get(), /no switch/)
})

const lines: string[] = []
const log = createLog({ console: (line) => lines.push(line) }).module('http')
const routes = new Map<string, Route>([
  ['/', { kind: 'answer', answer: (query) => ({ type: 'text/plain', body: `asked: ${query.get('q')}` }) }],
  ['/metrics', { kind: 'answer', isForAnyName: true, answer: () => ({ type: 'text/plain', body: 'numbers' }) }],
  ['/late', { kind: 'answer', answer: () => Promise.resolve({ type: 'text/plain', body: 'é' }) }],
  ['/bad', { kind: 'answer', answer: () => { throw new Error('broken inside') } }],
  ['/events', { kind: 'stream', join: (response) => { response.write('data: 1\n\n'); return undefined } }],
  ['/full', { kind: 'stream', join: () => ({ status: 503, type: 'text/plain', body: 'full' }) }]
])
const server = new HttpServer({ routes, log, policy: "script-src 'sha256-x'" })
const port = await server.listen({ host: '127.0.0.1', port: 0 })
t.teardown(() => server.close())

/** What comes back for these bytes, until the server ends the connection or `enough` has come. */
function raw(bytes: string, enough = ''): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (data) => {
      text += data.toString()
      if (enough !== '' && text.includes(enough)) socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
  })
}

const get = (path: string, more = '', method = 'GET') => raw(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${more}\r\n`)

await t.test('what is there is answered, with headers that let a page do nothing else', async (t) => {
  const answer = await get('/?q=a%20b')
  t.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
  t.match(answer, /\r\n\r\nasked: a b$/)
  t.match(answer, "Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'sha256-x'\r\n")
  for (const header of ['Cache-Control: no-store', 'X-Content-Type-Options: nosniff', 'Referrer-Policy: no-referrer', 'Cross-Origin-Resource-Policy: same-origin']) t.match(answer, header)
  t.notMatch(answer, 'Access-Control-Allow')
  t.match(await get('/late'), /Content-Length: 2\r\n.*\r\n\r\né$/s)
  t.match(await raw('GET /events HTTP/1.1\r\nHost: [::1]:9\r\n\r\n', 'data: 1'), /200 OK.*data: 1/s)
  t.match(await get('/full'), /^HTTP\/1\.1 503 /)
})

const REFUSED: readonly (readonly [what: string, bytes: string, status: number])[] = [
  ['another path', 'GET /etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 404],
  ['a path that goes up', 'GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 404],
  ['a path in disguise', 'GET /%2e%2e/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 404],
  ['//', 'GET // HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 404],
  ['a URL as a proxy gets it', 'GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 404],
  ['POST', 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\nx', 405],
  ['DELETE', 'DELETE / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 405],
  ['a name that is not ours', 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n', 421],
  ['no name in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 421],
  ['no name', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['what is no HTTP', '\x16\x03\x01\x00\xa5 hello\r\n\r\n', 400],
  ['long headers', `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`, 431]
]

for (const [what, bytes, status] of REFUSED) {
  await t.test(`refused with ${status}, and the connection ended: ${what}`, async (t) => {
    t.match(await raw(bytes), new RegExp(`^HTTP/1\\.1 ${status} `))
  })
}

await t.test('Prometheus may call us what it likes; for a browser, only the numbers are there under a name of somebody else', async (t) => {
  for (const host of ['c1.example.net:9475', 'evil.example', '']) t.match(await raw(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.1 200 .*numbers$/s, host)
  t.match(await raw('GET /events HTTP/1.1\r\nHost: evil.example\r\n\r\n'), /^HTTP\/1\.1 421 .*by the machine's host name with or without its domain.*\n$/s)
})

await t.test('what fails inside is said in the log, not to the client', async (t) => {
  const answer = await get('/bad')
  t.match(answer, /^HTTP\/1\.1 500 /)
  t.notMatch(answer, 'broken inside')
  t.match(lines.join('\n'), 'GET /bad failed: Error: broken inside')
})

await t.test('of too many clients the late ones are turned away, and the server lives on', async (t) => {
  const sockets = await Promise.all(Array.from({ length: 40 }, () => new Promise<net.Socket>((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.on('error', () => undefined).on('connect', () => resolve(socket)).on('close', () => resolve(socket))
  })))
  await new Promise<void>((resolve) => {
    const look = () => (sockets.filter(({ readyState }) => readyState !== 'open').length >= 8 ? resolve() : void setTimeout(look, 10))
    for (const socket of sockets) socket.resume()
    look()
  })
  const gone = Promise.all(sockets.map((socket) => new Promise<void>((resolve) => { if (socket.closed) resolve(); else socket.on('close', () => resolve()) })))
  for (const socket of sockets) socket.destroy()
  await gone
  let answer = ''
  while (!answer.startsWith('HTTP/1.1 200 ')) answer = await get('/')
  t.match(answer, 'asked')
})

await t.test('an address that somebody else has', async (t) => {
  const second = new HttpServer({ routes, log })
  await t.rejects(second.listen({ host: '127.0.0.1', port }), { message: new RegExp(`^cannot serve metrics on 127\\.0\\.0\\.1 port ${port}: .*EADDRINUSE.*; give another --metrics, or none$`) })
})
