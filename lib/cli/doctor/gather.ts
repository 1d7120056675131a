// Gathers what doctor looks at. Only the daemon has to answer; what else is silent is said to have been left out.
import { EMPTY_BRIDGE } from '../../config/bridge.js'
import { parseSystem } from '../../config/system.js'
import type { ShowReport, VtepReport } from '../../daemon/report/report.js'
import { speakerDirectory } from '../explain/gather.js'
import type { Underlay } from '../explain/chain.js'
import type { LinkRow } from '../../netlink/index.js'
import { readAddresses, type MachineAddresses } from '../addresses.js'
import { isFrr } from '../frr-service.js'
import { KernelReader } from '../kernel.js'
import { findProcess } from '../processes.js'
import type { Step } from '../progress.js'
import { readUnderlay } from '../underlay.js'
import { leavesChecksums } from '../ethtool.js'
import { readFrr } from './frr-facts.js'
import type { Facts, Skipped, Source } from './facts.js'
import { readOvsdb, type OvsdbFacts } from './ovsdb-facts.js'

export interface DoctorSources {
  readonly show: ShowReport
  readonly vteps: readonly VtepReport[]
  readonly rundir: string
  readonly vtySocket: string | undefined
  /** Told what is done next. */
  readonly progress: Step
}

const EMPTY: OvsdbFacts = { bridges: [], interfaces: [], systemIds: new Map(), system: parseSystem(new Map()).config, options: { ...EMPTY_BRIDGE, speaker: [] } }
const NO_ADDRESSES: MachineAddresses = { up: new Map(), down: new Map() }

export async function gatherFacts({ show, vteps, rundir, vtySocket, progress }: DoctorSources): Promise<Facts> {
  const skipped: Skipped[] = []
  const note = (source: Source, why: string): void => { if (!skipped.some((one) => one.source === source && one.why === why)) skipped.push({ source, why }) }
  progress('reading OVSDB')
  const ovsdb = await readOvsdb(show).catch((error: unknown) => {
    note('OVSDB', `OVSDB was not read: ${error instanceof Error ? error.message : String(error)}`)
    return EMPTY
  })
  progress('reading the kernel\'s devices')
  const { up: addresses, down: downAddresses } = await readAddresses().catch((error: unknown) => {
    note('addresses', `addresses were not read: ${error instanceof Error ? error.message : String(error)}`)
    return NO_ADDRESSES
  })
  const datapath = ovsdb.bridges.find(({ name }) => name === show.bridge)?.datapathType === 'netdev' ? 'userspace' : 'kernel'
  const kernel = new KernelReader()
  try {
    const links = await kernel.links()
    const underlay: Underlay[] = []
    const ips = [...new Set(vteps.map(({ ip }) => ip))]
    for (const [at, ip] of ips.entries()) {
      progress(`looking for the way to VTEP ${at + 1} of ${ips.length}`)
      const way = await readUnderlay({ kernel, links, rundir, datapath }, ip)
      if (way.problem !== undefined) note('ways', `ways to VTEPs were not looked at: ${way.problem}`)
      underlay.push(way)
      if (way.problem !== undefined) break
    }
    progress('asking FRR')
    const isExpected = vtySocket !== undefined || isFrr(ovsdb.options.speaker)
    const frr = await readFrr({ directory: vtySocket ?? speakerDirectory(ovsdb.options.speaker) }, isExpected, note)
    const ovnController = findProcess('ovn-controller')
    return {
      show, vteps, links, addresses, downAddresses, underlay, ...ovsdb,
      offloaded: await offloaded(senders(links, addresses, ovsdb), (why) => note('checksums', why)),
      ...frr, ...(ovnController === undefined ? {} : { ovnController }), skipped
    }
  } finally {
    kernel.close()
  }
}

/**
 * Which devices of this machine send into the userspace datapath: Open vSwitch's own that have an address, and the other ends of veth
 * ports. Of those that are in another network namespace nothing can be seen.
 */
function senders(links: readonly LinkRow[], addresses: ReadonlyMap<string, string>, { interfaces, bridges }: OvsdbFacts): string[] {
  const isUserspace = (name: string): boolean => bridges.find((bridge) => bridge.name === name)?.datapathType === 'netdev'
  const used = new Set(addresses.values())
  return interfaces.filter(({ bridge }) => isUserspace(bridge)).flatMap(({ name, type }) => {
    if (type === 'internal') return used.has(name) ? [name] : []
    const link = links.find((one) => one.name === name)
    const peer = link?.kind === 'veth' && link.linkNetnsid === undefined ? links.find(({ ifindex }) => ifindex === link.link) : undefined
    return peer === undefined ? [] : [peer.name]
  })
}

async function offloaded(devices: readonly string[], note: (text: string) => void): Promise<string[]> {
  const found: string[] = []
  for (const name of devices) {
    const answer = await leavesChecksums(name)
    if (typeof answer === 'string') note(answer)
    else if (answer) found.push(name)
  }
  return found
}
