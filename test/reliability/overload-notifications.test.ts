// More notifications than the daemon's socket holds: the news of one MAC is lost among those of a device that is none of its
// business, and the MAC is learned all the same, at once.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { coverage } from '../system/util/daemon-numbers.js'
import { eventually, eventuallyHas } from '../system/util/eventually.js'
import { Patient, VNI, VTEP } from './util/patient.js'
import { residentMib, whileStopped } from './util/process.js'

const patient = await Patient.up()
const { c1, speaker } = patient
const { daemon } = patient
const LATE = '02:bb:00:00:00:01'
const STORM = 100_000
await c1.run(['ip', 'link', 'add', 'busy', 'type', 'vxlan', 'id', '7', 'local', '192.0.2.1', 'dstport', '60007', 'nolearning'])
await c1.run(['ip', 'link', 'set', 'busy', 'up'])

/** So many changes of a device that is none of the daemon's business; `bytes` make each notification larger. */
async function storm(count: number, bytes = 200): Promise<void> {
  await c1.run(['ip', '-batch', '-'], { input: Array.from({ length: count }, (_, i) => `link set busy alias ${'x'.repeat(bytes)}${i % 2}`).join('\n') + '\n', timeoutMs: 120_000 })
}

interface EndlessStorm { readonly written: () => number, readonly end: () => Promise<number> }

/** Changes of that device until it is told to end: `ip` takes line after line, as fast as it can. */
function endlessStorm(): EndlessStorm {
  const child = patient.lab.spawn('c1', ['ip', '-batch', '-'], { stdio: ['pipe', 'ignore', 'ignore'] })
  const { stdin } = child
  if (stdin === null) throw new Error('standard input of ip is not a pipe')
  let [count, isOver] = [0, false]
  const write = (): void => {
    if (isOver) return
    const text = Array.from({ length: 500 }, (_, i) => `link set busy alias ${'x'.repeat(200)}${i % 2}\n`).join('')
    stdin.write(text, () => {
      count += 500
      write()
    })
  }
  write()
  return {
    written: () => count,
    end: async () => {
      isOver = true
      stdin.end()
      await once(child, 'exit')
      return count
    }
  }
}

/**
 * Messages the kernel has dropped on the daemon's socket for notifications (proc(5): of the first socket a process opens the port
 * id is its pid; the drops are in the ninth column).
 */
function dropped(): number {
  const rows = readFileSync(`/proc/${daemon.pid}/net/netlink`, 'utf8').split('\n').map((line) => line.trim().split(/\s+/))
  const row = rows.find(([, protocol, portId]) => protocol === '0' && portId === String(daemon.pid))
  if (row === undefined) throw new Error('the daemon has no netlink socket')
  return Number(row[8])
}

await t.test(`stopped, ${STORM} notifications of another device, one MAC, continued: the MAC has its flow`, async (t) => {
  const [memory, before] = [residentMib(daemon.pid), await coverage(daemon)]
  await whileStopped(daemon.pid, async () => {
    await storm(STORM)
    // The buffer is 256 MiB where the kernel allows it: until it is full, whatever fits in it here.
    await eventually('the kernel to drop notifications', async () => {
      if (dropped() === 0) await storm(STORM / 5)
      return dropped()
    }, (count) => count > 0, 60_000)
    await speaker.mac(VNI, LATE, VTEP)
  })
  await eventuallyHas('the MAC on the switch', () => c1.ourFlows('table=202'), LATE)
  const now = await coverage(daemon)
  t.equal((now['netlink_overruns'] ?? 0) - (before['netlink_overruns'] ?? 0), 1, 'one overrun')
  t.equal(daemon.log().split('the kernel dropped notifications').length - 1, 1, 'said once')
  const grown = residentMib(daemon.pid) - memory
  t.ok(grown < 300, `${Math.round(grown)} MiB more memory`)
  await speaker.noMac(VNI, LATE)
  await patient.asBefore('the MAC withdrawn')
})

await t.test('a storm while it runs: what is asked of it meanwhile is answered, a MAC is programmed', async (t) => {
  const storm = endlessStorm()
  try {
    await eventually('the storm to have begun', () => storm.written(), (count) => count > 10_000)
    await speaker.mac(VNI, LATE, VTEP)
    await eventuallyHas('the MAC on the switch', () => c1.ourFlows('table=202'), LATE)
    t.match(await daemon.appctl('version'), 'ovs-evpnd')
    const during = storm.written()
    await eventually('the storm to go on after all that', () => storm.written(), (count) => count > during)
  } finally {
    t.comment(`${await storm.end()} changes`)
  }
  await speaker.noMac(VNI, LATE)
  await patient.asBefore('the storm over')
})
