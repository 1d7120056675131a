// Questions for one row or one route, against the real kernel: `ip` and `bridge` say the same.
import t from 'tap'
import { AF, neighQuery, NTF, NUD, RTN, routeQuery, type NetlinkRequest, type RtMessage } from '../../lib/netlink/index.js'
import { enterNewNamespace, json, run } from './support/namespace.js'
import { openRecorder } from './support/recorder.js'

enterNewNamespace()
for (const command of [
  'ip link set lo up',
  'ip link add br0 address 02:00:00:00:00:b0 type bridge',
  'ip link set br0 addrgenmode none up',
  'ip link add vx0 type vxlan id 10 local 192.0.2.1 dstport 61000 nolearning',
  'ip link set vx0 addrgenmode none master br0 up',
  'ip link add up0 mtu 1600 type veth peer name down0',
  'ip link set up0 addrgenmode none up', 'ip link set down0 addrgenmode none up',
  'ip addr add 192.0.2.1/24 dev up0', 'ip addr add 2001:db8::1/64 dev up0 nodad',
  'ip route add 198.51.100.0/24 via 192.0.2.254 mtu 1450', 'ip route add blackhole 203.0.113.0/24',
  'bridge fdb replace 02:00:00:00:02:02 dev vx0 dst 192.0.2.2 self master extern_learn dynamic',
  'ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev up0 nud permanent'
]) run(command)

const recorder = openRecorder({ groups: [], withAges: true })
t.teardown(() => recorder.client.close())

/** What comes in answer, and the errno's name of a refusal. */
async function ask(request: NetlinkRequest): Promise<{ readonly message: RtMessage | undefined, readonly error: string | undefined }> {
  recorder.take()
  const [error] = await recorder.client.request([request])
  return { message: recorder.take()[0], error: error?.code }
}

const indexOf = (name: string): number => Number(json('ip -j link show').find(({ ifname }) => ifname === name)?.['ifindex'])
const [br0, vx0, up0] = ['br0', 'vx0', 'up0'].map(indexOf) as [number, number, number]
const MAC = '02:00:00:00:02:02'

await t.test('a vxlan device\'s row, the bridge\'s row and a neighbour, with their age', async (t) => {
  const device = await ask(neighQuery({ family: AF.BRIDGE, ifindex: vx0, flags: NTF.SELF, lladdr: MAC }))
  t.match(device.message, { kind: 'neigh', row: { ifindex: vx0, lladdr: MAC, dst: '192.0.2.2' } })
  const bridge = await ask(neighQuery({ family: AF.BRIDGE, ifindex: 0, flags: NTF.MASTER, lladdr: MAC, master: br0 }))
  t.match(bridge.message, { kind: 'neigh', row: { ifindex: vx0, lladdr: MAC, master: br0 } })
  const neighbour = await ask(neighQuery({ family: AF.INET, ifindex: up0, flags: 0, dst: '192.0.2.2' }))
  t.match(neighbour.message, { kind: 'neigh', row: { ifindex: up0, dst: '192.0.2.2', lladdr: '02:00:00:00:00:02', state: NUD.PERMANENT } })
  const ages = [device, bridge, neighbour].map(({ message }) => (message?.kind === 'neigh' ? message.row.age : undefined))
  t.ok(ages.every((age) => age !== undefined && age >= 0 && age < 60), `rows that were just written are some seconds old: ${ages.join(' ')}`)
})

await t.test('rows that are not there', async (t) => {
  t.equal((await ask(neighQuery({ family: AF.BRIDGE, ifindex: vx0, flags: NTF.SELF, lladdr: '02:00:00:00:09:09' }))).error, 'ENOENT')
  t.equal((await ask(neighQuery({ family: AF.BRIDGE, ifindex: 0, flags: NTF.MASTER, lladdr: '02:00:00:00:09:09', master: br0 }))).error, 'ENOENT')
  t.equal((await ask(neighQuery({ family: AF.INET, ifindex: up0, flags: 0, dst: '192.0.2.9' }))).error, 'ENOENT')
})

const ROUTES: readonly (readonly [to: string, row: object])[] = [
  ['192.0.2.2', { type: RTN.UNICAST, dst: '192.0.2.2', oif: up0, src: '192.0.2.1' }],
  ['198.51.100.7', { type: RTN.UNICAST, gateway: '192.0.2.254', oif: up0, mtu: 1450 }],
  ['2001:db8::2', { type: RTN.UNICAST, oif: up0, src: '2001:db8::1' }],
  ['192.0.2.1', { type: RTN.LOCAL }]
]

for (const [to, row] of ROUTES) {
  await t.test(`the route to ${to}, as ip has it`, async (t) => {
    const { message } = await ask(routeQuery(to))
    t.match(message, { kind: 'route', row })
    const [oracle] = json(`ip -j route get ${to}`)
    t.equal(message?.kind === 'route' ? message.row.gateway : '', oracle?.['gateway'])
    t.equal(message?.kind === 'route' ? message.row.src : '', oracle?.['prefsrc'])
  })
}

await t.test('no route, and one that leads nowhere', async (t) => {
  t.equal((await ask(routeQuery('8.8.8.8'))).error, 'ENETUNREACH')
  t.equal((await ask(routeQuery('203.0.113.1'))).error, 'EINVAL', 'a blackhole is told as an error')
})
