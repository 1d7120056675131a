// The control socket and clients that do not behave: nothing they send may end the daemon or grow without bound.
import net from 'node:net'
import t from 'tap'
import { appctl, exchange, startChassis } from './chassis.js'

const VERSION = '{"id":7,"method":"version","params":[]}'
const ANSWER = '{"error":null,"id":7,"result":"ovs-evpnd (ovs-evpn) 1.2.3\\n"}'

const CLOSING: readonly (readonly [string, string | Buffer])[] = [
  ['text', 'hello'],
  ['binary', Buffer.from([0xff, 0x00, 0x80, 0x7b, 0x7d])],
  ['an array', '[1,2]'],
  ['broken JSON in braces', '{"id":}'],
  ['a notification', '{"id":null,"method":"version","params":[]}'],
  ['a reply', '{"id":1,"result":"x","error":null}'],
  ['a method that is a number', '{"id":1,"method":5,"params":[]}'],
  ['params that are an object', '{"id":1,"method":"version","params":{}}'],
  ['an unexpected member', '{"id":1,"method":"version","params":[],"more":1}'],
  ['brackets without end', '{"a":' + '['.repeat(100_000)],
  ['a request longer than a mebibyte', '{"id":1,"method":"' + 'x'.repeat(1 << 21)]
]

await t.test('the connection is closed, without an answer, after', async t => {
  const { socket, lines } = await startChassis(t)
  for (const [what, bytes] of CLOSING) t.equal(await exchange(t, socket, [bytes]), '', what)
  t.equal(await exchange(t, socket, [VERSION], /}$/), ANSWER, 'another client is served as before')
  t.ok(lines.some(line => line.includes('|unixctl|WARN|control connection closed: received ')), 'the log says why')
  t.ok(lines.length < CLOSING.length, 'a client cannot fill the log')
})

await t.test('requests before the garbage are answered', async t => {
  const { socket } = await startChassis(t)
  t.equal(await exchange(t, socket, [`${VERSION} garbage`]), ANSWER)
})

await t.test('a request may arrive byte by byte', async t => {
  const { socket } = await startChassis(t)
  t.equal(await exchange(t, socket, [...VERSION], /}$/), ANSWER)
})

await t.test('two requests in one write are answered in order, the second only after the first', async t => {
  const order: string[] = []
  const slow = async (): Promise<string> => {
    order.push('slow starts')
    await new Promise(resolve => setImmediate(resolve))
    order.push('slow ends')
    return 'slow'
  }
  const fast = (): string => {
    order.push('fast')
    return 'fast'
  }
  const commands = [{ name: 'slow', min: 0, max: 0, run: slow }, { name: 'fast', min: 0, max: 0, run: fast }]
  const { socket } = await startChassis(t, { commands })
  const text = await exchange(t, socket, ['{"id":1,"method":"slow","params":[]}\n{"id":"b","method":"fast","params":[]}'], /fast\\n"}$/)
  t.equal(text, '{"error":null,"id":1,"result":"slow\\n"}{"error":null,"id":"b","result":"fast\\n"}')
  t.same(order, ['slow starts', 'slow ends', 'fast'])
})

await t.test('an argument that is no string is refused, and the connection goes on', async t => {
  const { socket } = await startChassis(t)
  const text = await exchange(t, socket, ['{"id":1,"method":"vlog/set","params":[5]}', VERSION], /1\.2\.3/)
  t.equal(text, '{"error":"\\"vlog/set\\" command has non-string argument\\n","id":1,"result":null}' + ANSWER)
})

await t.test('a command that fails by a fault of ours is an error reply, and logged', async t => {
  const fail = (): string => {
    throw new TypeError('x is undefined')
  }
  const { socket, lines } = await startChassis(t, { commands: [{ name: 'test/fail', usage: '', min: 0, max: 0, run: fail }] })
  t.equal((await appctl(t, socket, 'test/fail')).code, 2)
  t.ok(lines.some(line => line.endsWith('|unixctl|ERR|control command test/fail failed: x is undefined')))
})

await t.test('a client that closes its side after the request still gets the answer', async t => {
  const { socket } = await startChassis(t)
  const client = net.connect({ path: socket, allowHalfOpen: true })
  client.end(VERSION)
  let text = ''
  for await (const piece of client.setEncoding('utf8') as AsyncIterable<string>) text += piece
  t.equal(text, ANSWER)
})

await t.test('a client that never reads its answers holds up nobody, and no more is read from it', async t => {
  let runs = 0
  const long = (): string => {
    runs += 1
    return 'x'.repeat(1 << 20)
  }
  const { socket, server } = await startChassis(t, { commands: [{ name: 'long', min: 0, max: 0, run: long }] })
  // Closing with unread requests resets the connection.
  const client = net.connect({ path: socket }).on('error', () => undefined)
  t.teardown(() => client.destroy())
  client.pause()
  await new Promise<void>(resolve => client.write('{"id":1,"method":"long","params":[]}'.repeat(1000), () => resolve()))
  for (let i = 0; i < 5; i++) t.equal((await appctl(t, socket, 'version')).code, 0)
  t.equal(runs, 1, 'the second request waits until the first answer is taken')
  await server.close()
  t.pass('the server closes all the same')
})

await t.test('a client that leaves in the middle of a request or an answer harms nobody', async t => {
  const { socket } = await startChassis(t)
  for (const text of ['{"id":1,"meth', '{"id":1,"method":"evpn/report","params":["macs"]}']) {
    const client = net.connect({ path: socket }).on('error', () => undefined)
    await new Promise<void>(resolve => client.write(text, () => resolve()))
    client.destroy()
  }
  t.equal((await appctl(t, socket, 'version')).code, 0)
})

await t.test('set-options --format json turns answers into documents, for this connection only', async t => {
  const { socket } = await startChassis(t)
  const set = (value: string): string => `{"id":0,"method":"set-options","params":["--format","${value}"]}`
  t.equal(await exchange(t, socket, [set('json'), VERSION], /1\.2\.3/),
    '{"error":null,"id":0,"result":{"reply-format":"plain","reply":""}}' +
    '{"error":null,"id":7,"result":{"reply-format":"plain","reply":"ovs-evpnd (ovs-evpn) 1.2.3\\n"}}')
  const list = await exchange(t, socket, [set('JSON'), '{"id":1,"method":"list-commands","params":[]}'], /version/)
  t.match(list, /"result":\{"coverage\/show":"",.*"exit":"\[--cleanup\]"/)
  t.match(await exchange(t, socket, [set('xml')], /}$/), /"error":"option format has invalid value xml\\n"/)
  t.equal(await exchange(t, socket, [VERSION], /}$/), ANSWER)
})

await t.test('close lets the answer being given go out', async t => {
  let askedFor: (finish: (text: string) => void) => void = () => undefined
  const asked = new Promise<(text: string) => void>(resolve => askedFor = resolve)
  const wait = async (): Promise<string> => await new Promise(resolve => askedFor(resolve))
  const { socket, server } = await startChassis(t, { commands: [{ name: 'wait', min: 0, max: 0, run: wait }] })
  const answer = appctl(t, socket, 'wait')
  const finish = await asked
  const closed = server.close()
  finish('done')
  await closed
  t.equal((await answer).stdout, 'done\n')
})
