// Messages captured from Open vSwitch: in any pieces, decoded to what ovs-ofctl says of them, and the encoders of the other side.
import t from 'tap'
import { decodeError } from '../../lib/openflow/errors.js'
import { decodeFeatures, decodeHello } from '../../lib/openflow/handshake.js'
import {
  bucketSize, decodeFlowDescs, decodeFlowMod, decodeFlowStats, decodeFlowUpdates, decodeGroupDescs, decodeGroupMod,
  decodeMatch, decodeMessage, decodeMeterFeatures, decodeMeterMod, decodeMeters, decodePacketIn, decodePortDescs, decodePortStatus, decodeTableStats, encodeActions, encodeBucket, encodeFlowDesc, encodeFlowMod,
  encodeGroupDesc, encodeMeterMod, encodePacketIn, encodeGroupMod, encodeInstructions, encodeMatch, encodePortDesc, formatActions, formatMatch, groupDescSize,
  type FlowMod, type GroupMod
} from '../../lib/openflow/index.js'
import { encodeMessage, Framer, OFPT, type Message } from '../../lib/openflow/message.js'
import { decodeMultipart, encodeMultipart, OFPMP } from '../../lib/openflow/multipart.js'
import { encodeSetControllerId, encodeSetPacketInFormat } from '../../lib/openflow/packet-in.js'
import { readPairs } from './fixture.js'
import { ofpPrint } from './ovs.js'

const PAIRS = readPairs('messages')

function messageOf(text: RegExp): Message {
  const pair = PAIRS.find((candidate) => text.test(candidate.text))
  if (!pair) throw new Error(`no captured message ${String(text)}`)
  return decodeMessage(pair.bytes)
}

/** The entries of a captured multipart reply. */
function bodyOf(text: RegExp): Buffer {
  return decodeMultipart(messageOf(text).body).body
}

await t.test('messages are found in a stream of any pieces', (t) => {
  const stream = Buffer.concat(PAIRS.map(({ bytes }) => bytes))
  const expected = PAIRS.map(({ bytes }) => bytes.toString('hex'))
  const cut = (pieces: readonly Buffer[]): string[] => {
    const framer = new Framer()
    return pieces.flatMap((piece) => framer.receive(piece)).map(({ bytes }) => bytes.toString('hex'))
  }
  const inPieces = (size: number): Buffer[] =>
    Array.from({ length: Math.ceil(stream.length / size) }, (_, i) => stream.subarray(i * size, (i + 1) * size))
  for (const size of [stream.length, 1, 3, 7, 8, 9, 100, 1000]) t.strictSame(cut(inPieces(size)), expected, `in pieces of ${size} bytes`)
  const overlapping = [Buffer.concat([stream, stream.subarray(0, 20)]), stream.subarray(20)]
  t.strictSame(cut(overlapping), [...expected, ...expected], 'trailing bytes are the next message')
  t.throws(() => cut([Buffer.from('0602000700000001', 'hex')]), { name: 'OpenFlowDecodeError' }, 'a length below 8 ends it')
  t.strictSame(cut([Buffer.from('0602ffff00000001', 'hex')]), [], 'a message that has not arrived is waited for')
  t.end()
})

await t.test('captured messages say what ovs-ofctl says they say', (t) => {
  t.strictSame(decodeHello(messageOf(/HELLO/).bytes), [1, 2, 3, 4, 5, 6])
  t.match(messageOf(/FEATURES/).body.toString('hex'), decodeFeatures(messageOf(/FEATURES/).body).datapathId.toString(16).padStart(16, '0'))
  t.equal(decodeFeatures(messageOf(/FEATURES/).body).tables, 254)

  const ports = decodePortDescs(bodyOf(/PORT_DESC reply/))
  const said = /PORT_DESC/.exec(PAIRS.find(({ text }) => text.includes('PORT_DESC'))?.text ?? '')?.input ?? ''
  for (const { port, name, hwAddr } of ports) t.match(said, `${port === 0xfffffffe ? 'LOCAL' : port}(${name}): addr:${hwAddr}`)
  const bits = ports.map(({ name, config, state }) => [name, config, state]).sort()
  t.strictSame(bits, [['br-int', 1, 1], ['p1', 1, 1], ['p2', 1, 1], ['vx', 0, 4]])
  for (const [text, reason] of [[/PORT_STATUS.*ADD/, 'add'], [/PORT_STATUS.*DEL/, 'delete']] as const) {
    t.match(decodePortStatus(messageOf(text).body), { reason, port: { port: 4, name: 'p4', config: 1, state: 1 } })
  }
  t.strictSame(decodeMeters(bodyOf(/METER_CONFIG/)), [{ meterId: 1, unit: 'pktps', rate: 100, burst: 50 }])
  t.strictSame(decodeMeterFeatures(bodyOf(/METER_FEATURES/)), { maxMeters: 262144, maxBands: 8 })
  t.match(decodeError(messageOf(/ERROR.*BAD_LEN/).body), { type: 1, code: 6, name: 'OFPBRC_BAD_LEN' })
  t.end()
})

await t.test('how many flows a table has is read as ovs-ofctl reads it', async (t) => {
  // table_id, padding, active_count, lookup_count, matched_count
  const body = Buffer.from(['07000000 00000002 0000000000000009 0000000000000004', 'ca000000 000186a1 0000000000000000 0000000000000000'].join('').replaceAll(' ', ''), 'hex')
  const text = await ofpPrint(encodeMessage(OFPT.multipart_reply, 1, encodeMultipart(OFPMP.table, body)))
  const said = [...text.matchAll(/table (\d+):\s+active=(\d+)/g)].map(([, tableId, flows]) => ({ tableId: Number(tableId), flows: Number(flows) }))
  t.strictSame(said, [{ tableId: 7, flows: 2 }, { tableId: 202, flows: 100_001 }], text)
  t.strictSame(decodeTableStats(body), said)
  t.throws(() => decodeTableStats(body.subarray(0, 30)), { name: 'OpenFlowDecodeError' }, 'half an entry')
})

await t.test('a captured packet says what ovs-ofctl says it says, and what a fake sends is read the same', async (t) => {
  const packetIn = decodePacketIn(messageOf(/PACKET_IN2/).body)
  if (packetIn === undefined) throw new Error('not taken for a packet')
  const { match, packet, userdata, ...rest } = packetIn
  t.equal(packet.toString('hex'), 'ffffffffffff0200000000010806000102')
  t.strictSame(rest, { length: 17, tableId: 9, cookie: 0x77n, reason: 1 })
  t.strictSame(decodeMatch(match), { in_port: 1, metadata: 0x3e8n, reg3: 5, tun_src: '192.0.2.1' })
  t.equal(userdata.toString('hex'), '01aa')
  const cut = { ...packetIn, packet: packet.subarray(0, 14) }
  t.strictSame(decodePacketIn(decodeMessage(encodePacketIn(cut)).body), cut)
  t.match(await ofpPrint(encodePacketIn(cut)), /table_id=9 cookie=0x77 total_len=17 .*in_port=1 \(via action\) data_len=14/s)
  t.equal(decodePacketIn(Buffer.from('0000232000000013', 'hex')), undefined, 'another message of Nicira\'s is none')
  t.match(await ofpPrint(encodeSetPacketInFormat(1)), /NXT_SET_PACKET_IN_FORMAT.*packet_in2/)
  t.match(await ofpPrint(encodeSetControllerId(1, 0x6576)), /NXT_SET_CONTROLLER_ID.*id=25974/)
})

await t.test('captured flows say what ovs-ofctl says they say', (t) => {
  const body = bodyOf(/OFPST_FLOW reply/)
  const text = PAIRS.find((pair) => /OFPST_FLOW reply/.test(pair.text))?.text ?? ''
  const flows = decodeFlowDescs(body)
  const printed = flows.map(({ cookie, tableId, match, instructions }) =>
    [`cookie=0x${cookie.toString(16)}, `, `table=${tableId}, `, formatMatch(match), `actions=${formatActions(instructions.subarray(8))}`])
  for (const part of printed.flat()) t.ok(text.includes(part), part)
  t.match(flows.find(({ priority }) => priority === 200), { cookie: 0x123n, idleTimeout: 60, hardTimeout: 90, importance: 5, flags: 1 })
  t.match(decodeFlowStats(body).map(({ packets, bytes }) => [packets, bytes]), [[0n, 0n], [0n, 0n]])
  for (const { durationMs } of decodeFlowStats(body)) t.match(text, `duration=${durationMs / 1000}`)

  const updates = PAIRS.filter((pair) => /FLOW_MONITOR reply/.test(pair.text))
    .flatMap(({ bytes }) => decodeFlowUpdates(decodeMultipart(decodeMessage(bytes).body).body))
  t.strictSame(updates.map(({ kind }) => kind), ['initial', 'initial', 'added', 'removed'])
  t.match(updates[3], { tableId: 7, reason: 2, priority: 5, cookie: 5n, match: encodeMatch({ metadata: 5 }) })
  t.end()
})

await t.test('captured groups are decoded, sized, and encoded to the same bytes', (t) => {
  const body = bodyOf(/GROUP_DESC reply/)
  const groups = decodeGroupDescs(body)
  t.equal(Buffer.concat(groups.map(encodeGroupDesc)).toString('hex'), body.toString('hex'))
  t.equal(groups.reduce((sum, group) => sum + groupDescSize(group), 0), body.length)
  t.strictSame(groups.map(({ groupId, type, buckets }) => [groupId, type, buckets.map(({ id }) => id)]).sort(), [
    [5, 'all', []], [6, 'select', [1]], [7, 'all', [7, 8]], [8, 'ff', [0, 1]]
  ])
  t.match(groups.find(({ type }) => type === 'ff')?.buckets, [{ watchPort: 1 }, { watchGroup: 7 }])
  t.match(groups.find(({ type }) => type === 'select'), { selection: { method: 'dp_hash' }, buckets: [{ weight: 100 }] })
  const v4 = encodeActions([{ kind: 'set_field', field: 'tun_dst', value: '192.0.2.1' }, { kind: 'resubmit', table: 40 }])
  const v6 = encodeActions([{ kind: 'set_field', field: 'tun_ipv6_dst', value: '2001:db8::1' }, { kind: 'resubmit', table: 40 }])
  t.strictSame([v4, v6].map((actions) => bucketSize({ id: 1, actions })), [40, 48], 'a VTEP costs 40 bytes over IPv4, 48 over IPv6')
  t.equal(encodeBucket({ id: 1, actions: v4 }).length, 40)
  const buckets = Array.from({ length: 2000 }, (_, id) => ({ id, actions: v4 }))
  t.throws(() => encodeGroupDesc({ groupId: 1, type: 'all', buckets }), /80016 bytes/)
  t.throws(() => encodeGroupMod({ command: 'add', type: 'all', groupId: 1, buckets: buckets.map(encodeBucket) }), /do not fit/)
  t.end()
})

await t.test('changes are decoded as they were meant, and ovs-ofctl reads them so', async (t) => {
  const base: FlowMod = {
    command: 'add', tableId: 3, priority: 7, cookie: 0x10n, cookieMask: 0n, match: encodeMatch({ metadata: 5 }),
    instructions: encodeInstructions([{ kind: 'output', port: 2 }])
  }
  const flows: readonly (readonly [mod: FlowMod, text: string])[] = [
    [base, 'ADD table:3 priority=7,metadata=0x5 cookie:0x10 actions=output:2'],
    [
      { ...base, idleTimeout: 5, hardTimeout: 6, importance: 7, flags: 1 },
      'ADD table:3 priority=7,metadata=0x5 cookie:0x10 idle:5 hard:6 importance:7 send_flow_rem actions=output:2'
    ],
    [
      { ...base, command: 'modify_strict', cookieMask: 0xffn },
      'MOD_STRICT table:3 priority=7,metadata=0x5 cookie:0x10/0xff actions=output:2'
    ],
    [{ ...base, command: 'modify', cookieMask: 0xffn }, 'MOD table:3 priority=7,metadata=0x5 cookie:0x10/0xff actions=output:2'],
    [
      { ...base, command: 'delete_strict', cookieMask: 0xffffffffffffffffn, instructions: Buffer.alloc(0) },
      'DEL_STRICT table:3 priority=7,metadata=0x5 cookie:0x10/0xffffffffffffffff actions=drop'
    ],
    [
      { ...base, command: 'delete', tableId: 255, cookieMask: 0xffn, instructions: Buffer.alloc(0), outPort: 4, outGroup: 9 },
      'DEL table:255 priority=7,metadata=0x5 cookie:0x10/0xff out_port:4 actions=drop'
    ]
  ]
  for (const [mod, text] of flows) {
    t.strictSame(decodeFlowMod(encodeFlowMod(mod)), mod, text)
    t.equal(await ofpPrint(encodeFlowMod(mod)), `OFPT_FLOW_MOD (OF1.5): ${text}`)
  }
  const bucket = encodeBucket({ id: 3, weight: 5, actions: encodeActions([{ kind: 'resubmit', table: 4 }]) })
  const one = { type: 'all', groupId: 1, buckets: [] } as const
  const groups: readonly (readonly [mod: GroupMod, text: string])[] = [
    [
      { command: 'add', type: 'select', groupId: 1, commandBucketId: 'all', buckets: [bucket], selection: { method: 'dp_hash' } },
      'ADD group_id=1,type=select,selection_method=dp_hash,bucket=bucket_id:3,weight:5,actions=resubmit(,4)'
    ],
    [
      { ...one, command: 'modify', type: 'select', commandBucketId: 'all', buckets: [bucket], selection: { method: 'hash', param: 7n } },
      'MOD group_id=1,type=select,selection_method=hash,selection_method_param=7,bucket=bucket_id:3,weight:5,actions=resubmit(,4)'
    ],
    [
      { ...one, command: 'insert_bucket', commandBucketId: 'last', buckets: [bucket] },
      'INSERT_BUCKET command_bucket_id:last,group_id=1,bucket=bucket_id:3,weight:5,actions=resubmit(,4)'
    ],
    [{ ...one, command: 'remove_bucket', commandBucketId: 3 }, 'REMOVE_BUCKET command_bucket_id:3,group_id=1'],
    [{ command: 'delete', type: 'all', groupId: 1, commandBucketId: 'all', buckets: [] }, 'DEL group_id=1,type=all']
  ]
  for (const [mod, text] of groups) {
    t.strictSame(decodeGroupMod(encodeGroupMod(mod)), mod, text)
    t.equal((await ofpPrint(encodeGroupMod(mod))).replace(/\s+/g, ' '), `OFPT_GROUP_MOD (OF1.5): ${text}`)
  }
})

await t.test('the encoders of the other side fit the decoders (fakes use them)', (t) => {
  const desc = {
    tableId: 3, priority: 7, cookie: 5n, match: encodeMatch({ reg0: [1, 1] }), instructions: encodeInstructions([{ kind: 'pop_vlan' }]),
    idleTimeout: 1, hardTimeout: 2, flags: 4, importance: 3
  }
  t.strictSame(decodeFlowDescs(Buffer.concat([encodeFlowDesc(desc), encodeFlowDesc(desc)])), [desc, desc])
  const meter = { command: 'modify', meterId: 9, unit: 'kbps', rate: 7, burst: 8 } as const
  t.strictSame(decodeMeterMod(encodeMeterMod(meter)), meter)
  const port = { port: 5, name: 'a-name-of-15-by', hwAddr: '02:00:00:00:00:05', config: 1, state: 4 }
  t.strictSame(decodePortDescs(encodePortDesc(port)), [port])
  t.end()
})
