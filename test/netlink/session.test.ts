// The session without a socket: which bytes end which request, and how.
import t from 'tap'
import { NLMSG, NLM_F, NetlinkSession, RTM, dumpRequest, encodeFrame, encodeNeigh, frames, neighRequest } from '../../lib/netlink/index.js'
import type { NetlinkRequest, Outcome, Received, RtMessage } from '../../lib/netlink/index.js'
import { cases } from './support/fixture.js'

const ROW = { family: 7, ifindex: 3, state: 0x42, flags: 2, type: 0, lladdr: '02:00:00:00:00:01', dst: '192.0.2.2' }
const WRITE = neighRequest({ op: 'replace', row: ROW })
const OK = Buffer.alloc(20)

function receive(session: NetlinkSession, ...datagrams: Buffer[]): Received {
  const received = { messages: [] as RtMessage[], outcomes: [] as Outcome[] }
  for (const datagram of datagrams) session.receive(datagram, received)
  return received
}

function row(seq: number, flags: number): Buffer {
  return encodeFrame({ type: RTM.NEWNEIGH, flags, seq }, encodeNeigh(ROW))
}

function end(seq: number, flags: number = NLM_F.MULTI): Buffer {
  return encodeFrame({ type: NLMSG.DONE, flags, seq }, Buffer.alloc(4))
}

void t.test('captured replies end the request with their number, with the errno and the kernel\'s words', t => {
  for (const { name, bytes, expected } of cases('reply')) {
    const { seq, dump, error } = expected as { seq: number, dump: boolean, error?: object }
    const session = new NetlinkSession(seq)
    const request: NetlinkRequest = dump ? dumpRequest('fdb') : WRITE
    session.request(request)
    const [outcome] = receive(session, bytes).outcomes
    t.equal(outcome?.seq, seq, name)
    if (error === undefined) t.equal(outcome?.error, undefined, 'success')
    else t.match(outcome?.error, { name: 'NetlinkError', ...error, message: new RegExp(`^${request.text}: `) })
    t.equal(session.pending, 0)
  }
  t.end()
})

void t.test('requests are numbered; writes ask for an acknowledgement, dumps do not', t => {
  const session = new NetlinkSession(0xffffffff)
  const [first, second] = [session.request(WRITE), session.request(dumpRequest('link'))]
  t.strictSame([first.seq, second.seq], [0xffffffff, 1], 'numbers wrap around 0, which notifications carry')
  const [write] = [...frames(first.bytes)]
  const [dump] = [...frames(second.bytes)]
  t.equal(write?.flags, NLM_F.REQUEST | NLM_F.ACK | NLM_F.CREATE | NLM_F.REPLACE)
  t.equal(dump?.flags, NLM_F.REQUEST | NLM_F.DUMP)
  t.end()
})

void t.test('dump rows and notifications keep their order, and the dump ends with its own NLMSG_DONE', t => {
  const session = new NetlinkSession(5)
  session.request(dumpRequest('fdb'))
  const first = receive(session, Buffer.concat([row(5, NLM_F.MULTI), row(5, NLM_F.MULTI)]), row(0, 0), end(4))
  t.strictSame([first.messages.length, first.outcomes], [3, []], 'a foreign DONE ends nothing')
  const last = receive(session, row(5, NLM_F.MULTI), end(5))
  t.strictSame([last.messages.length, last.outcomes], [1, [{ seq: 5, interrupted: false }]])
  t.end()
})

void t.test('NLM_F_DUMP_INTR on any row or on the end makes the dump interrupted', t => {
  for (const datagrams of [[row(1, NLM_F.MULTI | NLM_F.DUMP_INTR), end(1)], [row(1, NLM_F.MULTI), end(1, NLM_F.MULTI | NLM_F.DUMP_INTR)]]) {
    const session = new NetlinkSession()
    session.request(dumpRequest('neigh'))
    t.strictSame(receive(session, ...datagrams).outcomes, [{ seq: 1, interrupted: true }])
  }
  t.end()
})

void t.test('after an overrun, dumps are interrupted but go on; missing acknowledgements are lost once the queue is empty', t => {
  const session = new NetlinkSession()
  session.request(dumpRequest('fdb'))
  session.request(WRITE)
  session.request(WRITE)
  session.overrun()
  const acked = receive(session, encodeFrame({ type: NLMSG.ERROR, flags: 0, seq: 2 }, OK))
  t.match(acked.outcomes, [{ seq: 2, error: undefined }], 'an acknowledgement that did arrive counts')
  const lost = { messages: [] as RtMessage[], outcomes: [] as Outcome[] }
  session.drained(lost)
  t.match(lost.outcomes, [{ seq: 3, error: { code: 'ENOBUFS', extack: 'acknowledgement lost, outcome unknown' } }])
  t.strictSame(receive(session, end(1)).outcomes, [{ seq: 1, interrupted: true }])
  session.request(WRITE)
  const later = { messages: [] as RtMessage[], outcomes: [] as Outcome[] }
  session.drained(later)
  t.strictSame(later.outcomes, [], 'an empty queue without an overrun means nothing')
  t.end()
})

void t.test('NLMSG_OVERRUN counts as an overrun, NLMSG_NOOP as nothing', t => {
  const session = new NetlinkSession()
  session.request(dumpRequest('fdb'))
  const [noop, overrun] = [NLMSG.NOOP, NLMSG.OVERRUN].map(type => encodeFrame({ type, flags: 0, seq: 0 }, OK))
  const received = receive(session, noop ?? OK, overrun ?? OK, end(1))
  t.strictSame(received, { messages: [], outcomes: [{ seq: 1, interrupted: true }] })
  t.end()
})

void t.test('a refused dump ends with the error; a success acknowledgement does not end it', t => {
  const session = new NetlinkSession()
  session.request(dumpRequest('fdb'))
  t.strictSame(receive(session, encodeFrame({ type: NLMSG.ERROR, flags: 0, seq: 1 }, OK)).outcomes, [])
  const busy = Buffer.alloc(20)
  busy.writeInt32LE(-16, 0)
  t.match(receive(session, encodeFrame({ type: NLMSG.ERROR, flags: 0, seq: 1 }, busy)).outcomes, [{ seq: 1, error: { code: 'EBUSY' } }])
  t.end()
})

void t.test('a reply without an error code ends its request, and what stands behind it is still read', t => {
  const session = new NetlinkSession()
  session.request(WRITE)
  session.request(WRITE)
  const empty = encodeFrame({ type: NLMSG.ERROR, flags: 0, seq: 1 }, Buffer.alloc(0))
  const { outcomes } = receive(session, Buffer.concat([empty, encodeFrame({ type: NLMSG.ERROR, flags: 0, seq: 2 }, OK)]))
  t.match(outcomes, [{ seq: 1, error: { code: 'EBADMSG', extack: /no error code/ } }, { seq: 2, error: undefined }])
  t.end()
})

void t.test('what arrives for a forgotten request has no outcome; its rows are still news', t => {
  const session = new NetlinkSession()
  const { seq } = session.request(dumpRequest('fdb'))
  session.forget(seq)
  const { messages, outcomes } = receive(session, row(seq, NLM_F.MULTI), end(seq))
  t.strictSame([messages.length, outcomes], [1, []])
  t.end()
})

void t.test('a broken datagram is reported as malformed, once, and what stands before it is kept', t => {
  const { messages } = receive(new NetlinkSession(), Buffer.concat([row(0, 0), Buffer.alloc(5)]))
  t.match(messages, [{ kind: 'neigh' }, { kind: 'malformed', error: /5 bytes left where a message should begin/ }])
  t.end()
})
