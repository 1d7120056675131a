// The port mirror: names to OpenFlow port numbers, as the switch itself tells.
import t from 'tap'
import { PortMirror } from '../../lib/mirror/ports.js'
import type { PortDesc } from '../../lib/openflow/index.js'

function port(name: string, number: number): PortDesc {
  return { port: number, name, hwAddr: '02:00:00:00:00:00', config: 0, state: 0 }
}

function mirror() {
  const told: string[] = []
  const ports = new PortMirror((name) => told.push(name))
  return { ports, take: () => told.splice(0) }
}

await t.test('a port comes, gets another number, goes', (t) => {
  const { ports, take } = mirror()
  ports.put(port('vm1', 1))
  ports.put(port('vm1', 1))
  t.strictSame(take(), ['vm1'], 'the same again is no news')
  ports.delete(port('vm1', 1))
  ports.put(port('vm1', 2))
  t.equal(ports.ofport('vm1'), 2)
  ports.delete(port('vm1', 2))
  t.equal(ports.ofport('vm1'), undefined)
  t.strictSame(take(), ['vm1', 'vm1', 'vm1'])
  t.end()
})

await t.test('the deletion of a number a port no longer has takes nothing away', (t) => {
  const { ports, take } = mirror()
  ports.put(port('vm1', 2))
  take()
  ports.delete(port('vm1', 1))
  t.equal(ports.ofport('vm1'), 2)
  t.strictSame(take(), [])
  t.end()
})

await t.test('after a reconnect only what differs is told', (t) => {
  const { ports, take } = mirror()
  for (const [name, number] of [['same', 1], ['gone', 2], ['moved', 3]] as const) ports.put(port(name, number))
  take()
  ports.replaceAll([port('same', 1), port('moved', 4), port('fresh', 2)])
  t.strictSame(take().sort(), ['fresh', 'gone', 'moved'])
  t.strictSame(['same', 'gone', 'moved', 'fresh'].map((name) => ports.ofport(name)), [1, undefined, 4, 2])
  t.end()
})

await t.test('OpenFlow cuts names at 15 characters: a longer one is found by its beginning, as long as it is the only one', (t) => {
  const { ports } = mirror()
  ports.put(port('averyverylongpo', 1))
  t.equal(ports.ofport('averyverylongportname'), 1)
  ports.put(port('averyverylongpo', 2))
  t.equal(ports.ofport('averyverylongportname'), undefined, 'two ports it could be: neither is used')
  ports.delete(port('averyverylongpo', 1))
  t.equal(ports.ofport('averyverylongportname'), 2)
  t.end()
})
