// What ip and bridge ask of the kernel, and what we ask for the same change.
import t from 'tap'
import {
  NLM_F, changeLinkRequest, deleteLinkRequest, deleteNexthopRequest, dumpRequest, frames, neighRequest, nexthopRequest
} from '../../lib/netlink/index.js'
import type { LinkRow, NetlinkRequest, NexthopRow, WriteRequest } from '../../lib/netlink/index.js'
import { attributesOf, cases } from './support/fixture.js'

type Expected =
  | { readonly request: 'neigh' } & WriteRequest
  | { readonly request: 'nexthop', readonly row: NexthopRow }
  | { readonly request: 'deleteNexthop', readonly id: number }
  | { readonly request: 'changeLink', readonly row: Partial<LinkRow> & Pick<LinkRow, 'ifindex'>, readonly change: number }
  | { readonly request: 'deleteLink', readonly ifindex: number }

function build(expected: Expected): NetlinkRequest {
  switch (expected.request) {
    case 'neigh': return neighRequest(expected)
    case 'nexthop': return nexthopRequest(expected.row)
    case 'deleteNexthop': return deleteNexthopRequest(expected.id)
    case 'changeLink': return changeLinkRequest(expected.row, expected.change)
    case 'deleteLink': return deleteLinkRequest(expected.ifindex)
  }
}

const HEADER_BYTES = { neigh: 12, nexthop: 8, deleteNexthop: 8, changeLink: 16, deleteLink: 16 } as const

void t.test('our requests are those of the tools, byte for byte but for the order of attributes', t => {
  for (const { name, bytes, expected } of cases('request')) {
    const wanted = expected as Expected
    const ours = build(wanted)
    const [frame] = [...frames(bytes)]
    if (frame === undefined) throw new Error(`${name}: no message`)
    const theirs = bytes.subarray(frame.start, frame.end)
    const headerBytes = HEADER_BYTES[wanted.request]
    t.equal(ours.type, frame.type, `message type: ${name}`)
    t.equal(ours.flags, frame.flags & ~(NLM_F.REQUEST | NLM_F.ACK), 'flags')
    t.strictSame(Buffer.from(ours.payload).subarray(0, headerBytes), theirs.subarray(0, headerBytes), 'header')
    t.strictSame(attributesOf(Buffer.from(ours.payload), headerBytes), attributesOf(theirs, headerBytes), 'attributes')
  }
  t.end()
})

void t.test('a request says in words what it asks for', t => {
  const row = { family: 7, ifindex: 3, state: 0x40, flags: 4, type: 0, lladdr: '02:00:00:00:00:01' }
  t.equal(neighRequest({ op: 'replace', row }).text, 'replace FDB row 02:00:00:00:00:01 dev 3 state NOARP flags MASTER')
  t.equal(neighRequest({ op: 'delete', row: { ...row, family: 2, dst: '10.0.0.1' } }).text,
    'delete neighbour 10.0.0.1 dev 3 lladdr 02:00:00:00:00:01 state NOARP flags MASTER')
  t.equal(dumpRequest('fdb').text, 'dump fdb table')
  t.end()
})

void t.test('a device that is changed is not given a name: before Linux 6.2 that is refused while it is up', (t) => {
  const request = changeLinkRequest({ ifindex: 7, name: 'lo-10', master: 2 })
  t.same(request.payload, changeLinkRequest({ ifindex: 7, master: 2 }).payload)
  t.equal(request.text, 'change device lo-10', 'an error names it')
  t.end()
})
