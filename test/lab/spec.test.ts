// Plans and waiting: what needs no namespace.
import t from 'tap'
import { addressOf, planLab, SpecError, type LabSpec, type WorkloadSpec } from './spec.js'
import { Hopeless, waitFor } from './wait.js'

const good: WorkloadSpec = { name: 'w', vtep: 'c1', vni: 5, mac: '02:00:00:00:00:01', addresses: ['10.0.0.1/24', 'fd00::1/64'] }

await t.test('a default lab: names fit the kernel, nothing is used twice', (t) => {
  const plan = planLab({ vnis: [0, 16777215], chassis: 4, linux: 2 })
  for (const property of ['name', 'mac', 'netns'] as const) {
    t.equal(new Set(plan.workloads.map((workload) => workload[property])).size, plan.workloads.length, property)
  }
  t.equal(new Set(plan.workloads.flatMap(({ addresses }) => addresses)).size, 2 * plan.workloads.length, 'addresses')
  t.ok(plan.workloads.every(({ name }) => name.length <= 15), 'interface names have at most 15 characters')
  t.not(planLab({}).id, planLab({}).id, 'ids of their own')
  t.end()
})

await t.test('a lab is plain data that survives the state file', (t) => {
  const plan = planLab({ id: 'x', vtepIps: { l1: '198.51.100.9' } })
  t.same(JSON.parse(JSON.stringify(plan)), plan)
  t.equal(plan.vteps.find(({ name }) => name === 'l1')?.ip, '198.51.100.9')
  t.equal(addressOf(good, 6), 'fd00::1')
  t.equal(addressOf({ ...good, addresses: ['10.0.0.1/24'] }, 6), undefined)
  t.end()
})

const bad: readonly { spec: LabSpec, says: RegExp }[] = [
  { spec: { id: 'a-b' }, says: /id 'a-b' must be/ },
  { spec: { chassis: 10 }, says: /0 to 9 VTEPs of a kind, not 10/ },
  { spec: { uplink: 'eth0', datapath: 'netdev' }, says: /userspace datapath needs its uplink on br-phy/ },
  { spec: { vnis: [-1] }, says: /VNI -1 is not in/ },
  { spec: { vtepIps: { c1: '10.1' } }, says: /'10\.1' of c1 is no IP address/ },
  { spec: { workloads: [good, good] }, says: /the name 'w' is used twice/ },
  { spec: { workloads: [{ ...good, name: 'c1' }] }, says: /the name 'c1' is used twice/ },
  { spec: { workloads: [{ ...good, name: 'longer-than-15ch' }] }, says: /'longer-than-15ch' must be 1 to 15/ },
  { spec: { workloads: [{ ...good, vtep: 'c7' }] }, says: /w is on 'c7', which is none of c1, c2, l1/ },
  { spec: { workloads: [{ ...good, mac: 'x' }] }, says: /'x' of workload w is no MAC/ },
  { spec: { workloads: [{ ...good, addresses: ['10.0.0.1'] }] }, says: /'10\.0\.0\.1' of workload w is no ADDRESS\/PREFIXLENGTH/ }
]

for (const { spec, says } of bad) {
  await t.test(`refused: ${JSON.stringify(spec)}`, (t) => {
    t.throws(() => planLab(spec), { name: SpecError.name, message: says })
    t.end()
  })
}

await t.test('waiting ends as soon as the condition is true, and otherwise tells what was seen last', async (t) => {
  let looks = 0
  await waitFor('the third look', () => ++looks === 3 || looks, 5000, 1)
  t.equal(looks, 3)
  await t.rejects(waitFor('rain', () => { throw new Hopeless('drought') }, 60_000), { message: 'waited for rain, in vain: drought' })
  await t.rejects(waitFor('rain', () => 'sunshine', 20, 5), { message: 'waited 20 ms for rain; last seen: sunshine' })
  const blind = waitFor('rain', () => Promise.reject(new Error('no window')), 20, 5)
  await t.rejects(blind, { message: 'waited 20 ms for rain; last seen: no window' })
  await t.rejects(waitFor('rain', () => ({ drops: 0 }), 20, 5), { message: 'waited 20 ms for rain; last seen: { drops: 0 }' })
})
