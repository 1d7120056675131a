// One chassis, c1, with workloads; and on the underlay one host, l1, that has the addresses of many VTEPs and writes and reads
// VXLAN by hand. What becomes of one frame is seen from all sides.
import type { DropReport } from '../../../lib/daemon/report/report.js'
import type { Lab } from '../../lab/lab.js'
import { waitFor } from '../../lab/wait.js'
import { Chassis } from '../../system/util/chassis.js'
import { eventually } from '../../system/util/eventually.js'
import { BROADCAST, encodeFrame, encodeVxlan, ownEtherType } from '../../system/util/frame.js'
import { Speaker } from '../../system/util/speaker.js'
import { Wire } from '../../system/util/wire.js'

export const LOCAL = '192.0.2.1'
export const LOCAL6 = '2001:db8:0:1::1'

export interface Sent {
  readonly src: string
  readonly dst: string
  /** An 802.1Q tag. */
  readonly tag?: number
}

export interface Arriving extends Sent {
  readonly from: string
  readonly to?: string
  readonly udpPort?: number
  readonly vni: number
}

/** Broadcast from a VTEP, the workloads it reaches, and a workload whose broadcast reaches the underlay (from this MAC, else that of the one inward). */
export interface Probes {
  readonly inward: Arriving
  readonly reaches: readonly string[]
  readonly outward: string
  readonly outwardSrc?: string
}

export class Fabric {
  readonly c1: Chassis
  readonly speaker: Speaker
  readonly #lab: Lab
  readonly #underlay: Wire
  readonly #wires: ReadonlyMap<string, Wire>
  readonly #macs: readonly [string, string]
  #serial = 0

  private constructor(lab: Lab, underlay: Wire, wires: ReadonlyMap<string, Wire>, macs: readonly [string, string]) {
    this.c1 = new Chassis(lab)
    this.speaker = new Speaker(this.c1)
    this.#lab = lab
    this.#underlay = underlay
    this.#wires = wires
    this.#macs = macs
  }

  /** Gives c1 an IPv6 address, l1 those of the VTEPs, and listens to l1 and the workloads. */
  static async open(lab: Lab, vteps: readonly string[], workloads: readonly string[], udpPorts: readonly number[] = [4789]): Promise<Fabric> {
    const batch = (host: string, lines: readonly string[]) => lab.exec(host, ['ip', '-batch', '-'], { input: lines.join('\n') + '\n' })
    await batch('c1', [`addr add ${LOCAL6}/64 dev br-phy nodad`])
    await batch('l1', vteps.map((ip) => `addr add ${ip}/${ip.includes(':') ? '64 dev eth0 nodad' : '24 dev eth0'}`))
    const address = async (host: string, device: string) =>
      (JSON.parse((await lab.exec(host, ['ip', '-j', 'link', 'show', device])).stdout) as readonly { readonly address: string }[])[0]?.address ?? ''
    const macs = [await address('l1', 'eth0'), await address('c1', 'br-phy')] as const
    const wires = await Promise.all(workloads.map(async (name) => [name, await Wire.open(lab, name)] as const))
    return new Fabric(lab, await Wire.open(lab, 'l1', udpPorts), new Map(wires), macs)
  }

  /** Makes the switch know the way to the VTEPs: one that has tunnel ports learns their MACs from ARP and ND, and loses no first packet. */
  async reach(vteps: readonly string[]): Promise<void> {
    await Promise.all(vteps.map((ip) => waitFor(`the underlay from c1 to ${ip}`, async () =>
      (await this.#lab.exec('c1', ['ping', '-c', '1', '-W', '1', ip], { allowFailure: true })).code === 0)))
  }

  /** Runs lines of `ip` on c1. */
  async ip(...lines: readonly string[]): Promise<void> {
    await this.#lab.exec('c1', ['ip', '-batch', '-'], { input: lines.join('\n') + '\n' })
  }

  /** Sends a frame from a workload. Returns its name. */
  fromWorkload(name: string, sent: Sent): string {
    const frame = this.#name(name)
    this.#wires.get(name)?.send(encode(sent, frame))
    return frame
  }

  /** Sends a frame inside a VXLAN packet from a VTEP. Returns its name. */
  fromVtep({ from, to = from.includes(':') ? LOCAL6 : LOCAL, udpPort = 4789, vni, ...sent }: Arriving): string {
    const frame = this.#name(from)
    this.#underlay.send(encodeVxlan({ from, to, udpPort, vni, inner: encode(sent, frame) }, this.#macs))
    return frame
  }

  /** Who has seen a frame, and how often: workloads by name; packets on the underlay as `FROM > TO UDP VNI`. */
  seen(name: string): string[] {
    const packets = this.#underlay.arrivals(name).map(({ vxlan }) => `${vxlan?.from} > ${vxlan?.to} UDP ${vxlan?.udpPort} VNI ${vxlan?.vni}`)
    const workloads = [...this.#wires].flatMap(([workload, wire]) => wire.arrivals(name).map(() => workload))
    return [...workloads, ...packets].sort()
  }

  /**
   * What is seen of a frame in the end. Probes, broadcast that is known to come through, are sent after it, those from VTEPs in
   * and those from workloads out, twice: what the switch does with the frame is done when the first come out, and what it sent
   * has arrived when the second do.
   */
  async settled(name: string, probes: Probes): Promise<string[]> {
    for (let round = 0; round < 2; round++) {
      const inward = this.fromVtep({ ...probes.inward, dst: BROADCAST })
      const outward = this.fromWorkload(probes.outward, { src: probes.outwardSrc ?? probes.inward.src, dst: BROADCAST })
      await Promise.all([...probes.reaches.map((workload) => this.#wires.get(workload)?.waitFor(inward)), this.#underlay.waitFor(outward)])
    }
    return this.seen(name)
  }

  /** What `ovs-evpnctl drops` shows: `REASON` to packets, of a VNI or of tunnel ports. */
  async drops(vni?: number): Promise<Readonly<Record<string, number>>> {
    // What the datapath has counted reaches the flows when it forgets its own.
    await this.c1.run(['ovs-appctl', '-t', 'ovs-vswitchd', 'revalidator/purge'])
    const rows = await this.c1.report<readonly DropReport[]>('drops', vni)
    return Object.fromEntries(rows.filter((row) => vni !== undefined || row.vni === null).map(({ reason, port, packets }) => [port === undefined ? reason : `${reason} ${port}`, packets]))
  }

  /** Waits until a reason has counted so many packets more than before. */
  async counted(vni: number | undefined, reason: string, before: Readonly<Record<string, number>>, more: number): Promise<void> {
    const want = (before[reason] ?? 0) + more
    await eventually(`${more} more packets counted as '${reason}' of VNI ${vni ?? '?'}`, () => this.drops(vni), (now) => now[reason] === want)
  }

  /** Waits until flows of ours contain all of the texts, each in one of them. */
  async hasFlows(...texts: readonly string[]): Promise<void> {
    await eventually(`flows with ${texts.join(' and ')}`, () => this.c1.ourFlows(), (flows) => texts.every((text) => flows.some((flow) => flow.includes(text))))
  }

  #name(from: string): string {
    return `from ${from} ${++this.#serial}`
  }
}

function encode({ tag, ...sent }: Sent, name: string): Buffer {
  const bytes = encodeFrame({ ...sent, name, etherType: ownEtherType(name) })
  return tag === undefined ? bytes : Buffer.concat([bytes.subarray(0, 12), Buffer.from([0x81, 0, 0, tag]), bytes.subarray(12)])
}
