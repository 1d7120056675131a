// The end of a client and of its process: what was asked for ends too, and no thread left in poll(2) holds the process back.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { NetlinkClient } from '../../lib/netlink/index.js'
import type { NeighRow } from '../../lib/netlink/index.js'

const PROGRAM = fileURLToPath(new URL('support/exit.js', import.meta.url))
const handlers = { messages: (): void => undefined, overrun: (): void => undefined }

for (const [how, status] of [['close', 0], ['close in a handler', 0], ['exit', 7], ['throw', 1]] as const) {
  void t.test(`a process ends with status ${status} after: ${how}`, t => {
    const { status: found, signal } = spawnSync(process.execPath, [PROGRAM, how], { timeout: 20_000, stdio: 'ignore' })
    t.strictSame({ status: found, signal }, { status, signal: null })
    t.end()
  })
}

void t.test('closing cancels what is under way and refuses what comes later', async t => {
  const client = NetlinkClient.open({ groups: [], handlers })
  const row: NeighRow = { family: 7, ifindex: 4711, state: 0x42, flags: 2, type: 0, lladdr: '02:00:00:00:00:01' }
  const running = [client.dump('link'), client.dump('neigh')]
  const written = client.write([{ op: 'delete', row }])
  client.close()
  client.close()
  for (const dump of running) await t.rejects(dump, { code: 'ECANCELED' })
  t.match(await written, [{ code: 'ECANCELED' }])
  await t.rejects(client.dump('fdb'), { code: 'ECANCELED', message: 'dump fdb table: ECANCELED' })
  t.match(await client.write([{ op: 'delete', row }]), [{ code: 'ECANCELED' }])
})

void t.test('a dump that takes too long is given up', async t => {
  const client = NetlinkClient.open({ groups: [], handlers, dumpTimeout: 0 })
  t.teardown(() => client.close())
  const until = performance.now() + 5
  const dump = client.dump('link')
  // The timer is due before the worker thread's answer can be taken: the event loop gets no turn until then.
  while (performance.now() < until);
  await t.rejects(dump, { code: 'ETIMEDOUT', message: 'dump link table: ETIMEDOUT' })
})
