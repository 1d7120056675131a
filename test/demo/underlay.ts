// What the underlay carries, seen by a third party: tshark on the underlay switch's port of one VTEP.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { formatTable } from '../../lib/cli/table.js'
import type { Lab } from '../lab/lab.js'
import { ping } from '../lab/ping.js'
import { addressOf } from '../lab/spec.js'
import { Hopeless, waitFor } from '../lab/wait.js'
import { requireSame, some } from './compare.js'
import type { Family } from './matrix.js'

/** A VXLAN packet around an ICMP echo: outer addresses and UDP port, VNI, inner addresses. */
export interface VxlanPacket {
  readonly from: string
  readonly to: string
  readonly udpPort: string
  readonly vni: string
  readonly innerFrom: string
  readonly innerTo: string
}

/** A ping between two workloads on different VTEPs. */
export interface Echo {
  readonly from: string
  readonly to: string
  readonly family: Family
}

const FIELDS = ['ip.src', 'ip.dst', 'udp.dstport', 'vxlan.vni', 'ipv6.src', 'ipv6.dst'] as const
/** Echo requests and replies of both families. */
const ECHOES = 'icmp.type == 8 || icmp.type == 0 || icmpv6.type == 128 || icmpv6.type == 129'

/** Sends the pings while tshark looks on at the port of a VTEP. Returns the packets, each kind once; throws Unmet for any other. */
export async function captureEchoes(lab: Lab, vtep: string, echoes: readonly Echo[]): Promise<VxlanPacket[]> {
  const expected = echoes.flatMap((echo) => expectedPackets(lab, echo)).map(packetLine)
  const seen = new Map<string, VxlanPacket>()
  const tshark = startTshark(lab, vtep)
  const ended = once(tshark.child, 'close')
  if (tshark.child.stdout === null) throw new Error('standard output of tshark is not a pipe')
  createInterface({ input: tshark.child.stdout }).on('line', (line) => {
    const packet = parsePacket(line)
    seen.set(packetLine(packet), packet)
  })
  try {
    // tshark needs a moment before it sees anything: ping until it has.
    await waitFor('tshark to see the pings', async () => {
      if (tshark.child.exitCode !== null) throw new Hopeless(`tshark ended with code ${tshark.child.exitCode}: ${tshark.stderr()}`)
      await Promise.all(echoes.map(({ from, to, family }) => ping(lab, from, to, { family, count: 1 })))
      return expected.every((line) => seen.has(line)) || `only ${some([...seen.keys()]) || 'nothing'}`
    }, 10_000, 100)
  } finally {
    tshark.child.kill('SIGTERM')
    await ended
  }
  requireSame('kinds of packets', expected, [...seen.keys()])
  return [...seen.values()]
}

export function formatPackets(packets: readonly VxlanPacket[]): string {
  return formatTable<VxlanPacket>([
    { head: 'FROM VTEP', cell: ({ from }) => from },
    { head: 'TO VTEP', cell: ({ to }) => to },
    { head: 'UDP', cell: ({ udpPort }) => Number(udpPort) },
    { head: 'VNI', cell: ({ vni }) => Number(vni) },
    { head: 'INNER FROM', cell: ({ innerFrom }) => innerFrom },
    { head: 'INNER TO', cell: ({ innerTo }) => innerTo }
  ], packets)
}

function startTshark(lab: Lab, vtep: string): { readonly child: ChildProcess, readonly stderr: () => string } {
  // Its capture file is the lab's, or it stays in /tmp when tshark is killed.
  const { dir } = lab.host('underlay')
  mkdirSync(dir, { recursive: true })
  const child = lab.spawn('underlay', [
    'tshark', '-l', '-n', '-Q', '-i', vtep, '-f', 'udp port 4789', '-d', 'udp.port==4789,vxlan', '-Y', ECHOES,
    '-T', 'fields', '-E', 'occurrence=a', ...FIELDS.flatMap((field) => ['-e', field])
  ], { env: { TMPDIR: dir } })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { said += text })
  return { child, stderr: () => said.trim() }
}

/** A line of tshark: with IPv4 inside, the outer and the inner address stand in one field. */
function parsePacket(line: string): VxlanPacket {
  const [source = '', destination = '', udpPort = '', vni = '', source6 = '', destination6 = ''] = line.split('\t')
  const [from = '', innerFrom = source6] = source.split(',')
  const [to = '', innerTo = destination6] = destination.split(',')
  return { from, to, udpPort, vni, innerFrom, innerTo }
}

function expectedPackets(lab: Lab, { from, to, family }: Echo): VxlanPacket[] {
  const [source, destination] = [from, to].map((name) => {
    const { workload } = lab.host(name)
    if (workload === undefined) throw new Error(`${name} is no workload`)
    return { vni: String(workload.vni), vtep: lab.host(workload.vtep).vtep?.ip ?? '', ip: addressOf(workload, family) ?? '' }
  })
  if (source === undefined || destination === undefined) return []
  const packet = (a: typeof source, b: typeof source): VxlanPacket =>
    ({ from: a.vtep, to: b.vtep, udpPort: '4789', vni: a.vni, innerFrom: a.ip, innerTo: b.ip })
  return [packet(source, destination), packet(destination, source)]
}

function packetLine({ from, to, udpPort, vni, innerFrom, innerTo }: VxlanPacket): string {
  return `${from} > ${to} UDP ${udpPort} VNI ${vni} (${innerFrom} > ${innerTo})`
}
