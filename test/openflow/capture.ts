// Captures the bytes in fixtures/openflow from the real switch: node --enable-source-maps dist/test/openflow/capture.js
// Every text goes in through ovs-ofctl, the bytes come out of the switch's own descriptions; nothing of this library writes them.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { encodeFlowRequest } from '../../lib/openflow/flow.js'
import { encodeFlowMonitor } from '../../lib/openflow/flow-monitor.js'
import { encodeGroupRequest } from '../../lib/openflow/group.js'
import { encodeHello, encodeSetAsync } from '../../lib/openflow/handshake.js'
import { decodeInstructions, decodeMatch, type FlowDesc } from '../../lib/openflow/index.js'
import { encodeMessage, Framer, OFPT, type Message } from '../../lib/openflow/message.js'
import { encodeMeterRequest } from '../../lib/openflow/meter.js'
import { encodeMultipart, encodePortRequest, OFPMP } from '../../lib/openflow/multipart.js'
import { encodeSetControllerId, encodeSetPacketInFormat } from '../../lib/openflow/packet-in.js'
import { ACTIONS, MATCHES } from './cases.js'
import { connectTo, type Connection } from './connect.js'
import { ofpPrint, startOvs, until, type Ovs } from './ovs.js'

const VERSION = execFileSync('ovs-ofctl', ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? ''

function write(name: string, about: string, pairs: readonly (readonly [text: string, bytes: Buffer])[]): void {
  const lines = pairs.flatMap(([text, bytes]) => [...text.split('\n').map((line) => `# ${line}`), ...inLines(bytes)])
  const remarks = [`## ${about}`, `## ${VERSION}, captured by test/openflow/capture.ts`]
  writeFileSync(`fixtures/openflow/${name}.txt`, [...remarks, ...lines, ''].join('\n'))
}

function inLines(bytes: Buffer): string[] {
  return bytes.toString('hex').match(/.{1,128}/g) ?? []
}

/** The one flow that ovs-ofctl adds for this text, as the switch describes it. */
async function flowOf(ovs: Ovs, { client }: Connection, text: string): Promise<FlowDesc> {
  await ovs.ofctl('del-flows', 'table=7')
  await ovs.ofctl('add-flow', `table=7,${text}`)
  const [flow] = await client.flowDescs({ tableId: 7 })
  if (!flow) throw new Error(`no flow for ${text}`)
  decodeMatch(flow.match)
  return flow
}

/** What a switch says on a raw connection, without the first hello. */
async function record(t: Test, ovs: Ovs): Promise<Message[]> {
  const socket = connect(ovs.socket)
  t.teardown(() => socket.destroy())
  const framer = new Framer()
  const messages: Message[] = []
  socket.on('data', (chunk: Buffer) => messages.push(...framer.receive(chunk)))
  await once(socket, 'connect')
  const send = async (bytes: Buffer): Promise<void> => {
    const before = messages.length
    socket.write(Buffer.concat([bytes, encodeMessage(OFPT.barrier_request, 0xbb)]))
    await until('the switch to answer', () => messages.slice(before).some(({ xid }) => xid === 0xbb))
  }
  const ask = (type: number, body: Buffer): Promise<void> => send(encodeMessage(OFPT.multipart_request, type, encodeMultipart(type, body)))
  socket.write(encodeHello(1))
  await send(encodeSetAsync(2))
  await send(encodeSetPacketInFormat(6))
  await send(encodeSetControllerId(7, 0x6576))
  await send(encodeMessage(OFPT.set_config, 3, Buffer.from([0, 0, 0xff, 0xff])))
  await send(encodeMessage(OFPT.features_request, 4))
  await ask(OFPMP.port_desc, encodePortRequest())
  await ask(OFPMP.group_desc, encodeGroupRequest())
  await ask(OFPMP.meter_desc, encodeMeterRequest())
  await ask(OFPMP.meter_features, Buffer.alloc(0))
  await ovs.ofctl('add-flow', 'table=7,priority=200,cookie=0x123,importance=5,idle_timeout=60,hard_timeout=90,send_flow_rem,in_port=1,'
    + 'actions=output:2')
  await ask(OFPMP.flow_desc, encodeFlowRequest({ tableId: 7 }))
  await ask(OFPMP.flow_monitor, encodeFlowMonitor({ id: 1, tableId: 7 }))
  await ovs.ofctl('add-flow', 'table=7,priority=5,cookie=0x5,metadata=0x5,actions=output:1')
  await ovs.ofctl('del-flows', '--strict', 'table=7,priority=5,metadata=0x5')
  await send(encodeMessage(OFPT.group_mod, 5, Buffer.alloc(4)))
  await ovs.ofctl('add-flow', 'table=9,cookie=0x77,actions=set_field:0x3e8->metadata,set_field:5->reg3,controller(id=0x6576,userdata=01.aa,max_len=14)')
  await ovs.ofctl('packet-out', 'in_port=1,packet=ffffffffffff0200000000010806000102,actions=set_field:192.0.2.1->tun_src,resubmit(,9)')
  await until('the packet to come', () => messages.some(({ type }) => type === OFPT.experimenter))
  await ovs.vsctl('add-port', 'br-int', 'p4', '--', 'set', 'interface', 'p4', 'type=internal', 'ofport_request=4')
  await ovs.vsctl('del-port', 'p4')
  await until('the port to come and go', () => messages.filter(({ type }) => type === OFPT.port_status).length >= 2)
  return messages.filter(({ type }) => type !== OFPT.barrier_reply)
}

await t.test('capture', async (t) => {
  const ovs = await startOvs(t)
  const connection = await connectTo(t, ovs.socket)
  await ovs.ofctl('add-group', 'group_id=5,type=all')
  await ovs.ofctl('add-meter', 'meter=1,pktps,burst,band=type=drop,rate=100,burst_size=50')
  const matches: [string, Buffer][] = []
  for (const [text] of MATCHES) matches.push([text, (await flowOf(ovs, connection, `${text},actions=drop`)).match])
  write('matches', 'Bare OXMs of a match, as in a flow description of OpenFlow 1.5', matches)
  const actions: [string, Buffer][] = []
  for (const [text, , match] of ACTIONS) {
    const { instructions } = await flowOf(ovs, connection, `${match === undefined ? '' : `${match},`}actions=${text}`)
    decodeInstructions(instructions)
    actions.push([text, instructions.subarray(8)])
  }
  write('actions', 'Actions of a flow, as in a flow description of OpenFlow 1.5', actions)
  await ovs.ofctl('add-group', 'group_id=6,type=select,selection_method=dp_hash,bucket=bucket_id:1,weight:100,actions=resubmit(,30)')
  await ovs.ofctl('add-group', 'group_id=7,type=all,bucket=bucket_id:7,actions=set_field:192.0.2.1->tun_dst,resubmit(,40),'
    + 'bucket=bucket_id:8,actions=set_field:2001:db8::1->tun_ipv6_dst,resubmit(,40)')
  await ovs.ofctl('add-group', 'group_id=8,type=ff,bucket=bucket_id:0,watch_port:1,actions=output:1,'
    + 'bucket=bucket_id:1,watch_group:7,actions=output:2')
  const messages: [string, Buffer][] = []
  for (const { bytes } of await record(t, ovs)) messages.push([await ofpPrint(bytes), bytes])
  write('messages', 'Whole messages of a switch, each with what ovs-ofctl ofp-print says', messages)
})
