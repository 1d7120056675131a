// The history: bounded whatever happens, read by number, told with the latency to the switch or after a second without.
import t from 'tap'
import { History, type Note } from '../../lib/daemon/history.js'

const learned = (of: string, more: Partial<Note> = {}): Note =>
  ({ kind: 'mac', vni: 10, of, from: undefined, to: '192.0.2.2', by: 'speaker', since: 100, key: undefined, ...more })

function opened(capacity: number): History {
  const history = new History(capacity)
  history.open()
  return history
}

await t.test('what is read at the start is no transition', (t) => {
  const history = new History(3)
  history.record(learned('a'))
  t.equal(history.next, 0)
  t.equal(history.oldest, undefined)
  t.end()
})

await t.test('the last N are remembered, and who comes later is told how many were missed', (t) => {
  const history = opened(3)
  for (const of of ['a', 'b', 'c', 'd', 'e']) history.record(learned(of))
  t.strictSame([...history.all()].map(({ of }) => of), ['c', 'd', 'e'])
  t.equal(history.oldest?.of, 'c')
  const { transitions, next, missed } = history.since(1)
  t.strictSame(transitions.map(({ of }) => of), ['c', 'd', 'e'])
  t.equal(next, 5)
  t.equal(missed, 1, 'b is forgotten')
  t.strictSame(history.since(5), { transitions: [], next: 5, missed: 0 })
  t.strictSame(history.since(3, 1).transitions.map(({ of }) => of), ['d'], 'an answer has a limit')
  t.equal(history.since(3, 1).next, 4)
  t.end()
})

await t.test('what waits for the switch is told with its latency', (t) => {
  const history = opened(10)
  history.record(learned('a', { key: 'flow a' }))
  history.record(learned('b'))
  t.strictSame(history.since(0, 10, 150), { transitions: [], next: 0, missed: 0 }, 'the order is kept: b waits behind a')
  history.confirmed('flow a', 103.5)
  const { transitions } = history.since(0, 10, 150)
  t.strictSame(transitions.map(({ of, ms }) => [of, ms]), [['a', 3.5], ['b', undefined]])
  t.end()
})

await t.test('what the switch does not take is told after a second, and its latency is filled in when it comes', (t) => {
  const history = opened(10)
  history.record(learned('a', { key: 'flow a' }))
  t.equal(history.since(0, 10, 1_099).transitions.length, 0)
  t.equal(history.since(0, 10, 1_100).transitions[0]?.ms, undefined)
  history.confirmed('flow a', 2_100)
  t.equal(history.since(0, 10, 1_100).transitions[0]?.ms, 2_000)
  t.end()
})

await t.test('of two transitions that wait for one flow, the later one has its latency', (t) => {
  const history = opened(10)
  history.record(learned('a', { key: 'flow a' }))
  history.record(learned('a', { key: 'flow a', from: '192.0.2.2', to: '192.0.2.3', since: 104 }))
  history.confirmed('flow a', 105)
  t.strictSame(history.since(0, 10, 106).transitions.map(({ ms }) => ms), [undefined, 1])
  t.end()
})

await t.test('what was forgotten waits for nothing', (t) => {
  const history = opened(2)
  for (const of of ['a', 'b', 'c']) history.record(learned(of, { key: `flow ${of}` }))
  history.confirmed('flow a', 101)
  t.strictSame([...history.all()].map(({ of, ms }) => [of, ms]), [['b', undefined], ['c', undefined]])
  t.end()
})

await t.test('who changed a VNI is known until the tick is over', (t) => {
  const history = opened(2)
  history.renewed(10)
  t.equal(history.renewedBy(10), 'devices')
  history.reconfigured()
  t.equal(history.renewedBy(10), 'configuration')
  t.equal(history.renewedBy(20), undefined)
  history.ticked()
  t.equal(history.renewedBy(10), undefined)
  t.end()
})
