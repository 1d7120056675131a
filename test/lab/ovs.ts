// Open vSwitch on one chassis: its database, its two daemons, its bridges and ports.
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { checksumOff, ipBatch, UNDERLAY_MTU, uplinkAddress } from './devices.js'
import { checkRunning, type HostTools } from './host.js'
import { withoutPrefix, type LabPlan, type Vtep, type Workload } from './spec.js'
import { waitFor } from './wait.js'

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'

/** What a plan says about a chassis' side of the underlay. */
type Underlay = Pick<LabPlan, 'datapath' | 'uplink'>

/** And about its database. */
type Settings = Underlay & Pick<LabPlan, 'speaker'>

/** Starts ovsdb-server, with an empty database the first time, and waits until it answers. */
export async function startOvsdbServer(tools: HostTools, vtep: Vtep): Promise<ChildProcess> {
  const database = `${vtep.dir}/conf.db`
  if (!existsSync(database)) await tools.run(['ovsdb-tool', 'create', database, SCHEMA])
  const child = tools.start('ovsdb-server', [
    'ovsdb-server', database, `--remote=punix:${vtep.dir}/db.sock`, '--pidfile', '--log-file', '-vconsole:off'
  ])
  await waitFor(`ovsdb-server on ${vtep.name}`, async () => {
    checkRunning(tools.host, 'ovsdb-server', child)
    const { code, stderr } = await tools.run(['ovs-appctl', '-t', 'ovsdb-server', 'version'], { allowFailure: true })
    return (code === 0 && existsSync(`${vtep.dir}/db.sock`)) || stderr
  })
  return child
}

/** Writes bridges and ports into the database; ovs-vswitchd makes them when it starts. */
export async function configureOvs(tools: HostTools, vtep: Vtep, { datapath, uplink, speaker }: Settings, workloads: readonly Workload[]): Promise<void> {
  await tools.run([
    'ovs-vsctl', '--no-wait', 'init',
    '--', 'set', 'Open_vSwitch', '.', `external_ids:system-id=${vtep.name}`, `external_ids:hostname=${vtep.name}`,
    '--', 'add-br', 'br-phy', '--', 'set', 'Bridge', 'br-phy', `datapath_type=${datapath}`,
    ...(uplink === 'br-phy' ? ['--', 'add-port', 'br-phy', 'eth0'] : []),
    '--', 'set', 'Interface', 'br-phy', `mtu_request=${UNDERLAY_MTU}`,
    // Without fail_mode=secure an empty bridge forwards like a plain switch.
    '--', 'add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', `datapath_type=${datapath}`, 'fail_mode=secure',
    // Whether FRR lives is for tests to ask that are about it: in most, rows come by hand, and who withdraws them means it.
    ...(speaker ? [] : ['external_ids:evpn-speaker=""']),
    ...workloads.flatMap(portCommand)
  ])
}

/** ovs-vsctl arguments that attach a workload's port to br-int and say what it is. */
export function portCommand(workload: Workload): string[] {
  const ids = workload.externalIds ?? {
    'dynamic-routing-vni': String(workload.vni),
    'evpn-addresses': [workload.mac, ...workload.addresses.map(withoutPrefix)].join(' ')
  }
  const settings = Object.entries(ids).map(([key, value]) => `external_ids:${key}=${value}`)
  const set = settings.length === 0 ? [] : ['--', 'set', 'Interface', workload.name, ...settings]
  return ['--', 'add-port', 'br-int', workload.name, ...set]
}

/** Starts ovs-vswitchd, waits until it has made what the database says, and gives the uplink the underlay address. */
export async function startVswitchd(tools: HostTools, vtep: Vtep, { datapath, uplink }: Underlay): Promise<ChildProcess> {
  const child = tools.start('ovs-vswitchd', [
    'ovs-vswitchd', `unix:${vtep.dir}/db.sock`, '--pidfile', '--log-file', '-vconsole:off',
    ...(datapath === 'netdev' ? ['--disable-system'] : [])
  ])
  await tools.run(['ovs-vsctl', '--timeout=20', 'set', 'Open_vSwitch', '.', 'external_ids:lab=1'])
  // br-phy is a device of ovs-vswitchd: new, and without address, after every start.
  await ipBatch(tools.labId, vtep.netns, [
    'link set br-phy addrgenmode none',
    'link set br-phy up',
    `addr replace ${uplinkAddress(vtep)} dev ${uplink} nodad`
  ])
  await tools.run(checksumOff('br-phy'))
  return child
}
