// Asks everybody: the daemon, the kernel, ovs-vswitchd, zebra and bgpd. Only the daemon has to answer.
import path from 'node:path'
import type { Explanation } from '../../daemon/explain/explanation.js'
import { IFF, NTF, NUD, type LinkRow, type NeighRow } from '../../netlink/index.js'
import { macInZebra, readBgpd, readZebra } from '../frr-view.js'
import { KernelReader } from '../kernel.js'
import type { Step } from '../progress.js'
import { readUnderlay } from '../underlay.js'
import type { Vtysh } from '../vtysh.js'
import type { Chain, KernelRow, KernelView } from './chain.js'

export interface Sources {
  /** Asks the daemon to explain an address. */
  readonly ask: (vni: number, address: string) => Promise<Explanation>
  readonly rundir: string
  /** Of vtysh's sockets, when it was given. */
  readonly vtySocket: string | undefined
  /** Told what is done next. */
  readonly progress: Step
}

/** `address` in canonical text; `isIp`: it is no MAC. */
export async function gatherChain({ ask, rundir, vtySocket, progress }: Sources, vni: number, address: string, isIp: boolean): Promise<Chain> {
  const asked = await ask(vni, address)
  progress('reading the kernel\'s tables')
  const kernel = new KernelReader()
  try {
    const links = await kernel.links()
    const vtysh = { directory: vtySocket ?? speakerDirectory(asked.speaker) }
    const mac = asked.mac ?? (isIp ? await macOf(kernel, links, vtysh, asked) : address)
    // Who knows the IP is not always the daemon; it may know the MAC all the same.
    const daemon = mac === undefined || mac === asked.mac ? asked : { ...await ask(vni, mac), address, ips: asked.ips, nearest: asked.nearest }
    const underlay = []
    for (const { ip } of daemon.vteps) {
      progress(`looking for the way to VTEP ${ip}`)
      underlay.push(await readUnderlay({ kernel, links, rundir, datapath: daemon.datapath }, ip))
    }
    progress('asking zebra')
    const zebra = await readZebra(vtysh, vni, mac)
    progress('asking bgpd')
    const bgpd = await readBgpd(vtysh, vni, mac)
    return {
      vni, address, ...(mac === undefined ? {} : { mac }), ...(isIp ? { ip: address } : {}),
      daemon,
      kernel: await readKernel(kernel, links, daemon, mac, isIp ? [address] : daemon.local?.ips ?? []),
      zebra, bgpd, underlay
    }
  } finally {
    kernel.close()
  }
}

/** The routing daemon's sockets lie in one directory; that of the default is where vtysh looks anyway. */
export function speakerDirectory(speaker: readonly string[]): string | undefined {
  const [first] = speaker
  const directory = first === undefined ? undefined : path.dirname(first)
  return directory === '/run/frr' ? undefined : directory
}

async function macOf(kernel: KernelReader, links: readonly LinkRow[], vtysh: Vtysh, { svi, address, vni }: Explanation): Promise<string | undefined> {
  const device = links.find(({ name }) => name === svi)
  const row = device === undefined ? undefined : await kernel.neighbour(device.ifindex, address)
  return row?.lladdr ?? await macInZebra(vtysh, vni.vni, address)
}

async function readKernel(kernel: KernelReader, links: readonly LinkRow[], daemon: Explanation, mac: string | undefined, ips: readonly string[]): Promise<KernelView> {
  const byName = (name: string | undefined) => links.find((link) => link.name === name)
  const [bridge, svi] = [byName(daemon.vni.bridge), byName(daemon.svi)]
  const bridgeRow = mac === undefined || bridge?.kind !== 'bridge' ? undefined : await kernel.bridgeRow(bridge.ifindex, mac, daemon.vni.vlan ?? 0)
  const deviceRows: KernelRow[] = []
  for (const name of daemon.vni.vxlan) {
    const link = byName(name)
    const row = mac === undefined || link?.kind !== 'vxlan' ? undefined : await kernel.deviceRow(link.ifindex, mac, link.vxlan?.external === true ? daemon.vni.vni : undefined)
    if (row !== undefined) deviceRows.push(kernelRow(row, links))
  }
  const neighbours: Record<string, KernelRow | null> = {}
  for (const ip of ips) {
    const row = svi === undefined ? undefined : await kernel.neighbour(svi.ifindex, ip)
    neighbours[ip] = row === undefined ? null : kernelRow(row, links)
  }
  const port = byName(daemon.port?.port)
  return {
    ...(bridgeRow === undefined ? {} : { bridgeRow: kernelRow(bridgeRow, links) }), deviceRows, neighbours,
    ...(port === undefined ? {} : { port: { name: port.name, isUp: (port.flags & IFF.UP) !== 0, hasCarrier: (port.flags & IFF.LOWER_UP) !== 0 } })
  }
}

function kernelRow(row: NeighRow, links: readonly LinkRow[]): KernelRow {
  const { age, dst, nhId, lladdr, protocol } = row
  return {
    dev: links.find(({ ifindex }) => ifindex === row.ifindex)?.name ?? `device ${row.ifindex}`,
    state: namesOf(NUD, row.state), flags: namesOf(NTF, row.flags),
    ...(age === undefined ? {} : { age }),
    ...(dst === undefined ? {} : { dst }),
    ...(nhId === undefined ? {} : { nexthop: nhId }),
    ...(lladdr === undefined ? {} : { lladdr }),
    ...(protocol === undefined ? {} : { protocol })
  }
}

function namesOf(table: Readonly<Record<string, number>>, mask: number): string[] {
  return Object.entries(table).filter(([, bit]) => (mask & bit) !== 0).map(([name]) => name)
}
