// The memory of claims: what outdates a row, what makes it count again, and how long the pauses between claims are.
import t from 'tap'
import { mock } from 'node:test'
import { Evidence } from '../../lib/daemon/evidence.js'
import { onPort, remoteMac } from '../mirror/rows.js'
import { pass, stopTime } from '../sink/time.js'

const [VNI, MAC] = [1000, '02:00:00:00:00:01']
const row = () => remoteMac(11, MAC, '192.0.2.2')

stopTime()
t.teardown(() => mock.timers.reset())

await t.test('a row is outdated by what was seen after it; the same content written anew is another row', (t) => {
  const evidence = new Evidence(() => undefined)
  const [first, again] = [row(), row()]
  t.notOk(evidence.isOutdated(first))
  evidence.seen(VNI, MAC, [first])
  t.ok(evidence.isOutdated(first))
  t.notOk(evidence.isOutdated(again), 'a claim that came after the frame')
  evidence.clear()
  t.end()
})

await t.test('a row beside one of ours is from before; a newer claim makes it count again', (t) => {
  const evidence = new Evidence(() => undefined)
  const left = row()
  evidence.held(VNI, MAC, [left])
  t.ok(evidence.isOutdated(left) && evidence.wasHeld(VNI, MAC))
  evidence.renewed([left])
  t.notOk(evidence.isOutdated(left))
  t.end()
})

await t.test('lost news: nothing that was seen counts any more, a row may have been written again', (t) => {
  const evidence = new Evidence(() => undefined)
  const one = onPort(10, 11, MAC)
  evidence.seen(VNI, MAC, [one])
  evidence.newsLost()
  t.notOk(evidence.isOutdated(one))
  t.equal(evidence.pauseOf(VNI, MAC), 1, 'the pause goes on')
  evidence.clear()
  t.end()
})

await t.test('frames that come in one burst are one sign: the pause does not grow, and a claim that comes in it stands', async (t) => {
  const evidence = new Evidence(() => undefined)
  const later = row()
  evidence.seen(VNI, MAC, [])
  evidence.seen(VNI, MAC, [later])
  t.equal(evidence.pauseOf(VNI, MAC), 1)
  t.notOk(evidence.isOutdated(later), 'the frame was sent before this claim came')
  await pass(1000)
  t.equal(evidence.pauseOf(VNI, MAC), undefined)
  evidence.seen(VNI, MAC, [later])
  t.equal(evidence.pauseOf(VNI, MAC), 2, 'the second claim')
  evidence.clear()
})

await t.test('claims over a claim pause for 1, 2, 4 ... 64 s; after 180 quiet seconds for 1 s again', async (t) => {
  const over: number[] = []
  const evidence = new Evidence(() => over.push(0))
  for (const seconds of [1, 2, 4, 8, 16, 32, 64, 64]) {
    evidence.seen(VNI, MAC, [])
    t.equal(evidence.pauseOf(VNI, MAC), seconds)
    await pass(seconds * 1000 - 1)
    t.equal(evidence.pauseOf(VNI, MAC), seconds, `${seconds} s are not over yet`)
    await pass(1)
    t.equal(evidence.pauseOf(VNI, MAC), undefined, `${seconds} s are over`)
  }
  t.equal(over.length, 8, 'the end of each pause is told, once')
  await pass(179_999)
  evidence.seen(VNI, MAC, [])
  t.equal(evidence.pauseOf(VNI, MAC), 64, 'not quiet for long enough')
  await pass(64_000)
  await pass(180_000)
  evidence.seen(VNI, MAC, [])
  t.equal(evidence.pauseOf(VNI, MAC), 1)
  t.equal(evidence.pauseOf(VNI, '02:00:00:00:00:02'), undefined, 'each MAC has pauses of its own')
  t.equal(evidence.pauseOf(2000, MAC), undefined, 'and in each VNI')
  evidence.clear()
})

await t.test('a MAC that is no longer bound is forgotten: when it comes back, after a migration, nothing pauses', async (t) => {
  let over = 0
  const evidence = new Evidence(() => over++)
  evidence.held(VNI, MAC, [])
  evidence.seen(VNI, MAC, [])
  evidence.forget(VNI, MAC)
  t.equal(evidence.pauseOf(VNI, MAC), undefined)
  t.notOk(evidence.wasHeld(VNI, MAC), 'waiting, not contested')
  await pass(1_000)
  t.equal(over, 0, 'its timer is gone')
})
