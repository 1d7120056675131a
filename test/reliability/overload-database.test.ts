// A database with 10,000 interfaces more, half of them workloads: taken in without delay for others, and given back.
import t from 'tap'
import { announced } from '../system/util/announced.js'
import { eventually } from '../system/util/eventually.js'
import { Patient, VNI, VTEP } from './util/patient.js'
import { cpuSeconds, residentMib } from './util/process.js'

const PORTS = 10_000
const patient = await Patient.up()
const { lab, c1, speaker, daemon, dir } = patient

/** Ports of br-int, all in one transaction; every second one names our VNI. */
function insertion(): string {
  const each = Array.from({ length: PORTS }, (_, i) => i)
  const ids = (i: number) => i % 2 === 0 ? [] : [['dynamic-routing-vni', String(VNI)], ['evpn-addresses', `02:ee:00:00:${[i >> 8, i & 255].map((byte) => byte.toString(16).padStart(2, '0')).join(':')} 10.1.${i >> 8}.${i & 255}`]]
  return JSON.stringify(['Open_vSwitch',
    ...each.map((i) => ({ op: 'insert', table: 'Interface', 'uuid-name': `i${i}`, row: { name: `many${i}`, external_ids: ['map', ids(i)] } })),
    ...each.map((i) => ({ op: 'insert', table: 'Port', 'uuid-name': `p${i}`, row: { name: `many${i}`, interfaces: ['named-uuid', `i${i}`] } })),
    { op: 'mutate', table: 'Bridge', where: [['name', '==', 'br-int']], mutations: [['ports', 'insert', ['set', each.map((i) => ['named-uuid', `p${i}`])]]] }
  ])
}

async function transact(text: string): Promise<void> {
  // Too long for an argument: by the script that reads a file.
  await c1.run(['sh', '-c', `cat > ${dir}/transaction.json; exec ovs-appctl -t ovsdb-server version`], { input: text })
  await c1.run([process.execPath, '--input-type=module', '-e', `
    import net from 'node:net'; import fs from 'node:fs'
    const socket = net.connect('${dir}/db.sock'); let text = ''
    socket.write(JSON.stringify({ method: 'transact', id: 1, params: JSON.parse(fs.readFileSync('${dir}/transaction.json', 'utf8')) }))
    for await (const piece of socket) { text += piece; try { const { error, result } = JSON.parse(text); process.exit(error || result.some((r) => r?.error) ? (console.error(text.slice(0, 500)), 1) : 0) } catch (e) { if (!(e instanceof SyntaxError)) throw e } }
  `])
}

const ports = async (): Promise<number> => (await c1.report<readonly unknown[]>('ports')).length

await t.test(`${PORTS} interfaces appear at once: they are known, other work goes on, and when they go the memory stays bounded`, async (t) => {
  // Making 10,000 ports would be ovs-vswitchd's work, not ours.
  await lab.stopService('c1', 'ovs-vswitchd')
  const memory = residentMib(daemon.pid)
  const before = await ports()
  await transact(insertion())
  await eventually('the daemon to know them', ports, (count) => count === before + PORTS / 2, 20_000)
  const [start, used] = [performance.now(), cpuSeconds(daemon.pid)]
  await speaker.mac(VNI, '02:bb:00:00:00:03', VTEP)
  await eventually('a MAC to be learned', () => c1.report<readonly { readonly mac: string }[]>('macs'), (rows) => rows.some(({ mac }) => mac === '02:bb:00:00:00:03'))
  await c1.set('Interface vm2', { 'evpn-addresses': '02:00:00:00:00:08' })
  await eventually('a change of one port to be announced', () => announced(c1), (rows) => rows.some((row) => row.startsWith('02:00:00:00:00:08')))
  const cost = cpuSeconds(daemon.pid) - used
  t.comment(`one MAC and one port took ${Math.round(performance.now() - start)} ms, ${cost.toFixed(2)} s of CPU time`)
  t.ok(cost < 2, 'other work goes on, and costs no more than without them: each change what it changes, and not a look at all ports')
  const grown = residentMib(daemon.pid) - memory
  t.ok(grown < 300, `${Math.round(grown)} MiB more memory for ${PORTS} interfaces`)

  await speaker.noMac(VNI, '02:bb:00:00:00:03')
  await c1.set('Interface vm2', { 'evpn-addresses': '02:00:00:00:00:02 10.0.0.2 fd00::2' })
  await transact(JSON.stringify(['Open_vSwitch', { op: 'mutate', table: 'Bridge', where: [['name', '==', 'br-int']], mutations: [['ports', 'delete', ['set', await manyPorts()]]] }]))
  await eventually('the daemon to have forgotten them', ports, (count) => count === before, 20_000)
  await lab.startService('c1', 'ovs-vswitchd')
  await patient.asBefore('the interfaces gone')
})

async function manyPorts(): Promise<readonly unknown[]> {
  const { data } = JSON.parse(await c1.vsctl('--format=json', '--columns=_uuid,name', 'list', 'Port')) as { readonly data: readonly (readonly [unknown, string])[] }
  return data.filter(([, name]) => name.startsWith('many')).map(([uuid]) => uuid)
}
