// The link to the integration bridge, against a switch that tells its news at the worst moment or cannot be read.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Agent } from '../../lib/daemon/agent.js'
import { SwitchLink } from '../../lib/daemon/switch-link.js'
import { PortMirror } from '../../lib/mirror/ports.js'
import { encodePortDesc, type PortDesc } from '../../lib/openflow/index.js'
import { encodeHello } from '../../lib/openflow/handshake.js'
import { encodeMessage, Framer, OFPT, type Message } from '../../lib/openflow/message.js'
import { encodeMultipart, OFPMP } from '../../lib/openflow/multipart.js'
import { until } from '../openflow/ovs.js'

const port = (number: number, name: string): PortDesc => ({ port: number, name, hwAddr: '02:00:00:00:00:01', config: 0, state: 0 })

const status = (reason: 0 | 1, desc: PortDesc) => encodeMessage(OFPT.port_status, 0, Buffer.from([reason, 0, 0, 0, 0, 0, 0, 0]), encodePortDesc(desc))

/** What a flow monitor tells: events without a flow (OFPFME_*). */
const PAUSED_AND_RESUMED = encodeMessage(OFPT.multipart_reply, 0, encodeMultipart(OFPMP.flow_monitor, Buffer.from([0, 8, 0, 5, 0, 0, 0, 0, 0, 8, 0, 6, 0, 0, 0, 0])))
/** The monitor of what the switch learns. */
const LEARNED_MONITOR = 1

/** A switch that finishes the handshake and has these ports; `behind` follows the list of ports in the same write. */
async function listen(t: Test, ports: readonly PortDesc[], behind: Buffer) {
  const rundir = mkdtempSync(join(tmpdir(), 'switch-link-'))
  const requests: number[] = []
  const asked = { learned: 0 }
  const answer = ({ type, xid, body }: Message): Buffer => {
    if (type === OFPT.hello) return encodeHello(xid)
    if (type === OFPT.get_config_request) return encodeMessage(OFPT.get_config_reply, xid, Buffer.alloc(4))
    if (type === OFPT.features_request) return encodeMessage(OFPT.features_reply, xid, Buffer.alloc(24))
    if (type === OFPT.barrier_request) return encodeMessage(OFPT.barrier_reply, xid)
    if (type !== OFPT.multipart_request) return Buffer.alloc(0)
    requests.push(body.readUInt16BE(0))
    const isAdd = body.readUInt16BE(0) === OFPMP.flow_monitor && body.readUInt8(23) === 0
    if (isAdd && body.readUInt32BE(8) === LEARNED_MONITOR) asked.learned++
    if (body.readUInt16BE(0) === OFPMP.flow_monitor) return encodeMessage(OFPT.multipart_reply, xid, encodeMultipart(OFPMP.flow_monitor, Buffer.alloc(0)))
    const list = encodeMessage(OFPT.multipart_reply, xid, encodeMultipart(OFPMP.port_desc, Buffer.concat(ports.map(encodePortDesc))))
    return Buffer.concat([list, behind])
  }
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    const framer = new Framer()
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      const answers = framer.receive(chunk).map(answer)
      socket.write(Buffer.concat(answers))
    })
  })
  await new Promise<void>((resolve) => server.listen(join(rundir, 'br-int.mgmt'), resolve))
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
    rmSync(rundir, { recursive: true })
  })
  const tell = (bytes: Buffer) => sockets.at(-1)?.write(bytes)
  return { rundir, requests, asked, tell }
}

/** As much of an agent as the link uses: it keeps ports, and reading the switch fails as often as told. */
function startLink(t: Test, rundir: string, failures = 0, lookForRoom?: number) {
  const mirror = new PortMirror(() => undefined)
  const told: string[] = []
  const learned = { hasRoom: false }
  const seen = { reads: 0, known: 0, told, mirror, learned }
  const agent = {
    state: { mirrors: { learned } },
    switchUp: (_connection: unknown, ports: readonly PortDesc[]) => {
      mirror.replaceAll(ports)
      seen.reads++
      return seen.reads <= failures ? Promise.reject(new Error('a group nobody can decode')) : Promise.resolve()
    },
    switchDown: () => undefined,
    learnedKnown: () => {
      seen.known++
      learned.hasRoom = false
    },
    flowsChanged: () => undefined,
    learnedChanged: () => undefined,
    portStatus: (reason: string, desc: PortDesc) => {
      if (reason === 'delete') mirror.delete(desc)
      else mirror.put(desc)
    }
  } as unknown as Agent
  const say = (text: string) => void told.push(text)
  const link = new SwitchLink(rundir, () => agent, { info: say, warn: say, err: say } as never, lookForRoom)
  t.teardown(() => link.close())
  link.use('br-int', false)
  return { link, seen }
}

await t.test('news of ports that comes together with their list is not undone by the list', async (t) => {
  const behind = Buffer.concat([status(0, port(9, 'ovn-evpn-4789')), status(1, port(2, 'vm2'))])
  const { rundir } = await listen(t, [port(1, 'vm1'), port(2, 'vm2')], behind)
  const { seen } = startLink(t, rundir)
  await until('the ports to be read', () => seen.reads > 0)
  t.equal(seen.mirror.ofport('ovn-evpn-4789'), 9, 'the port that was added right after the list is known')
  t.equal(seen.mirror.ofport('vm2'), undefined, 'the port that was deleted right after the list is not')
  t.equal(seen.mirror.ofport('vm1'), 1)
})

await t.test('a switch that cannot be read is told once, is sent nothing, and is read again until it can', async (t) => {
  const { rundir, requests } = await listen(t, [port(1, 'vm1')], Buffer.alloc(0))
  const { link, seen } = startLink(t, rundir, 2)
  await until('the first read to fail', () => link.status.includes('a group nobody can decode'))
  t.match(link.status, /^connected to .*br-int\.mgmt, but reading the switch failed: .*; trying again$/)
  await until('a read that works', () => seen.reads === 3)
  await until('the status to say so', () => !link.status.includes('but'))
  t.equal(seen.told.filter((text) => text.includes('nobody can decode')).length, 1, 'one line for two failures')
  t.strictSame([...new Set(requests)], [OFPMP.flow_monitor, OFPMP.port_desc], 'no other connection, no deletion of what it holds')
})

await t.test('what the switch learned while its monitors were paused is read anew when they go on', async (t) => {
  const { rundir, asked, tell } = await listen(t, [port(1, 'vm1')], Buffer.alloc(0))
  const { seen } = startLink(t, rundir)
  await until('all that was learned to be known', () => seen.known === 1)
  t.equal(asked.learned, 1)
  tell(PAUSED_AND_RESUMED)
  await until('it to be known once more', () => seen.known === 2)
  t.equal(asked.learned, 2, 'the switch was asked again for all of it')
  tell(Buffer.concat([PAUSED_AND_RESUMED, PAUSED_AND_RESUMED]))
  await until('it to be known twice more', () => seen.known === 4)
  t.equal(asked.learned, 4, 'one question after the other')
})

await t.test('learned MACs that were too many are read when there is room, also while the switch has nothing to tell', async (t) => {
  const { rundir, asked } = await listen(t, [port(1, 'vm1')], Buffer.alloc(0))
  const { seen } = startLink(t, rundir, 0, 20)
  await until('all that was learned to be known', () => seen.known === 1)
  seen.learned.hasRoom = true
  await until('it to be known once more', () => seen.known === 2)
  t.equal(asked.learned, 2, 'the switch was asked again for all of it, once')
  t.match(seen.told.at(-1), /there is room for MACs that were too many/)
})
