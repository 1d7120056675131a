// FRR on one VTEP: zebra and bgpd in a directory of their own, an iBGP EVPN full mesh with timers for tests.
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { checkRunning, frrDir, type HostTools } from './host.js'
import type { LabPlan, Vtep } from './spec.js'
import { waitFor } from './wait.js'

/** Of every VTEP. */
export const AS = 65000
const PROGRAMS = '/usr/lib/frr'
/** Where Debian's FRR has its sockets, and where evpn-speaker looks for them by default. */
const RUN = '/run/frr'

/** bgpd.conf of a VTEP that peers with all others. */
export function bgpdConfig(vtep: Vtep, plan: LabPlan): string {
  const peers = plan.vteps.filter(({ name }) => name !== vtep.name).map(({ ip }) => ip)
  return [
    `hostname ${vtep.name}`,
    `router bgp ${AS}`,
    ` bgp router-id 192.0.2.${vtep.index}`,
    ' no bgp default ipv4-unicast',
    ' timers bgp 3 9',
    ' coalesce-time 20',
    ...peers.flatMap((peer) => [
      ` neighbor ${peer} remote-as ${AS}`,
      // A session that fails once would wait 120 s otherwise.
      ` neighbor ${peer} timers connect 1`,
      ` neighbor ${peer} advertisement-interval 0`
    ]),
    ' address-family l2vpn evpn',
    ...peers.map((peer) => `  neighbor ${peer} activate`),
    '  advertise-all-vni',
    ' exit-address-family',
    ''
  ].join('\n')
}

/** Writes both configurations, which `write` saves one by one; FRR drops root, so its directory belongs to the user `frr`. */
export async function configureFrr(tools: HostTools, vtep: Vtep, plan: LabPlan): Promise<void> {
  mkdirSync(frrDir(vtep), { recursive: true })
  writeFileSync(`${frrDir(vtep)}/zebra.conf`, `hostname ${vtep.name}\n`)
  writeFileSync(`${frrDir(vtep)}/bgpd.conf`, bgpdConfig(vtep, plan))
  writeFileSync(`${frrDir(vtep)}/vtysh.conf`, 'no service integrated-vtysh-config\n')
  await tools.run(['chown', '-R', 'frr:frr', frrDir(vtep)])
}

/** Starts zebra or bgpd in the foreground and waits until it answers on its socket. */
export async function startFrrDaemon(tools: HostTools, vtep: Vtep, name: 'zebra' | 'bgpd', { speaker }: Pick<LabPlan, 'speaker'>): Promise<ChildProcess> {
  const dir = frrDir(vtep)
  const sockets = speaker ? RUN : dir
  if (speaker) mkdirSync(RUN, { recursive: true })
  const child = tools.start(name, [
    // `ip netns exec` gives each program mounts of its own: in its eyes the VTEP's directory is the machine's.
    ...(speaker ? ['sh', '-c', 'mount --bind "$0" "$1" && shift && exec "$@"', dir, RUN] : []),
    `${PROGRAMS}/${name}`, '--vty_socket', sockets, '--socket', `${sockets}/zserv.api`, '--config_file', `${dir}/${name}.conf`,
    '--pid_file', `${dir}/${name}.pid`, '--vty_port', '0', '--log', `file:${dir}/${name}.log`, '--log-level', 'informational',
    // As Debian's /etc/frr/daemons: zebra 8.4 ends without a word when its netlink socket overruns.
    ...(name === 'zebra' ? ['--nl-bufsize', '90000000'] : [])
  ])
  await waitFor(`${name} on ${vtep.name}`, async () => {
    checkRunning(tools.host, name, child)
    const { code, stdout, stderr } = await tools.run(['vtysh', '-d', name, '-c', 'show version'], { allowFailure: true })
    return code === 0 || stdout + stderr
  })
  return child
}

/** A BGP neighbour as `show bgp l2vpn evpn summary json` has it. */
export interface Peer {
  readonly peer: string
  readonly state: string
  /** Routes received from it. */
  readonly routes: number
}

/** The neighbours in the output of `show bgp l2vpn evpn summary json`. */
export function parseSummary(json: string): Peer[] {
  const { peers = {} } = JSON.parse(json) as { readonly peers?: Readonly<Record<string, { state: string, pfxRcd?: number }>> }
  return Object.entries(peers).map(([peer, { state, pfxRcd = 0 }]) => ({ peer, state, routes: pfxRcd }))
}

/** Peers of a VTEP whose session is not up or that have not sent `routes` routes yet, as text; empty when all is well. */
export async function missingSessions(tools: HostTools, peers: number, routes: number): Promise<string> {
  const { stdout } = await tools.run(['vtysh', '-c', 'show bgp l2vpn evpn summary json'])
  const all = parseSummary(stdout)
  if (all.length < peers) return `${all.length} of ${peers} peers configured`
  return all
    .filter((peer) => peer.state !== 'Established' || peer.routes < routes)
    .map((peer) => `${peer.peer} ${peer.state}, ${peer.routes} routes`)
    .join('; ')
}
