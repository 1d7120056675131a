// The bridge's own port as a workload's: its OpenFlow number lies above the range of bucket ids.
import t from 'tap'
import { partition } from '../../lib/evpn/flood.js'
import { RESERVED_PORTS } from '../../lib/openflow/index.js'
import { floodEntries } from '../../lib/pipeline/flood.js'

await t.test('every bucket id of a flood with the LOCAL port is one that OpenFlow 1.5 allows', (t) => {
  const { groups } = floodEntries(partition(1000, [
    { kind: 'local', port: 'br-int', ofport: RESERVED_PORTS.local, hash: 1 },
    { kind: 'local', port: 'vm1', ofport: 5, hash: 2 }
  ]))
  const ids = groups.flatMap((group) => group.buckets.map((bucket) => bucket.id))
  t.equal(new Set(ids).size, 2, `two ids: ${ids.join(' ')}`)
  for (const id of ids) t.ok(id <= 0xffffff00, `bucket id 0x${id.toString(16)} is not reserved`)
  t.end()
})
