// The demo, act by act: a fabric is built, forwards, forgets, survives a restart, and is gone.
import type { Daemon } from '../lab/daemon.js'
import { removeOrphans } from '../lab/down.js'
import { Lab } from '../lab/lab.js'
import { leftovers, surroundings, type Surroundings } from '../lab/leftovers.js'
import { drawFabric } from '../lab/picture.js'
import type { Vtep, Workload } from '../lab/spec.js'
import { readProcesses } from '../lab/state.js'
import { evpnctl, waitForKernelFdb, waitForKnowledge } from './learned.js'
import { formatMatrix, judgeCells, pingMatrix, warmUp } from './matrix.js'
import { judgeEvents, judgeLoss, judgeMods, restartUnderTraffic } from './restart.js'
import { formatRoutes, waitForRoutes } from './routes.js'
import { Unmet, type Screen } from './screen.js'
import { captureEchoes, formatPackets } from './underlay.js'
import { bringBack, formatEffect, withdraw, type Witnesses } from './withdrawal.js'

/** The daemons that run, by chassis. */
type Daemons = Map<string, Daemon>

/** Runs the demo; every verdict is on the screen afterwards. Leaves nothing, also when something fails. */
export async function runDemo(screen: Screen): Promise<void> {
  for (const id of await removeOrphans()) screen.step(`removed '${id}', which a killed run had left`)
  const before = surroundings()
  const id = `demo${process.pid.toString(36)}`
  screen.step(`building the lab '${id}': Open vSwitch chassis c1 and c2, Linux VTEP l1 without any of our code`)
  const build = (): Promise<Lab> => Lab.up({ id }, (text) => { screen.step(text) })
  const lab = await screen.check('a fabric is built', build, ({ plan }) =>
    `${plan.vteps.length} VTEPs, ${plan.workloads.length} workloads in VNIs ${plan.vnis.join(' and ')}, BGP sessions up`)
  if (lab === undefined) return
  try {
    await showFabric(lab, screen)
  } finally {
    const pids = readProcesses(lab.id).map(({ pid }) => pid)
    await lab.down()
    const check = (): void => { requireNothingLeft(lab.id, pids, before) }
    await screen.check('nothing is left', check, () => 'no process, no namespace, no file')
  }
}

async function showFabric(lab: Lab, screen: Screen): Promise<void> {
  screen.show('The fabric', drawFabric(lab.plan))
  const chassis = lab.plan.vteps.filter(({ kind }) => kind === 'ovs')
  const names = chassis.map(({ name }) => name).join(' and ')
  const daemons = await screen.check('ovs-evpnd runs', () => startDaemons(lab, chassis), () => `on ${names}`)
  if (daemons === undefined) return
  await showLearned(lab, screen, chassis)
  await showPings(lab, screen)
  await showUnderlay(lab, screen)
  await showWithdrawal(lab, screen)
  await showRestart(lab, screen, daemons)
  if (!screen.allPassed) showWarnings(screen, daemons)
}

async function startDaemons(lab: Lab, chassis: readonly Vtep[]): Promise<Daemons> {
  return new Map(await Promise.all(chassis.map(async ({ name }) => [name, await lab.startDaemon(name)] as const)))
}

async function showLearned(lab: Lab, screen: Screen, chassis: readonly Vtep[]): Promise<void> {
  for (const vtep of chassis) {
    await screen.check(`${vtep.name} has learned what is behind the others`, () => waitForKnowledge(lab, vtep), (text) => text)
  }
  await screen.check('l1 has learned what is behind the others', () => waitForKernelFdb(lab, 'l1'), (count) =>
    `${count} rows in the FDB of its kernel`)
  const routes = await screen.check('l1 has the workloads of c1 as Type-2 routes', () => waitForRoutes(lab, 'l1', 'c1'), ({ length }) =>
    `${length} routes, each MAC alone, with its IPv4 and with its IPv6 address`)
  for (const list of ['vteps', 'macs', 'ips', 'local']) {
    screen.show(`c1: ovs-evpnctl ${list} --vni 1000`, await evpnctl(lab, 'c1', list, '--vni', '1000').catch(String))
  }
  if (routes === undefined) return
  screen.show("l1: vtysh -c 'show bgp l2vpn evpn route type macip', what came from c1, a line each", formatRoutes(routes))
}

async function showPings(lab: Lab, screen: Screen): Promise<void> {
  await screen.check('a first packet has crossed between all VTEPs', () => warmUp(lab), (ways) => `${ways} ways`)
  screen.step('every workload pings every other, over IPv4 and over IPv6')
  const cells = await pingMatrix(lab)
  screen.show('Who reaches whom (46 = IPv4 and IPv6, . = neither)', formatMatrix(lab.plan, cells))
  for (const family of [4, 6] as const) {
    await screen.check(`IPv${family} passes within a VNI`, () => judgeCells(cells, family, 'within'), (count) =>
      `${count} of ${count} pings answered, OVS and Linux in every combination`)
    await screen.check(`IPv${family} does not pass across VNIs`, () => judgeCells(cells, family, 'across'), (count) =>
      `0 of ${count} pings answered`)
  }
}

async function showUnderlay(lab: Lab, screen: Screen): Promise<void> {
  const capture = () => captureEchoes(lab, 'c1', [
    { from: 'c1-1000-a', to: 'l1-1000-a', family: 4 },
    { from: 'c1-2000-a', to: 'c2-2000-a', family: 6 }
  ])
  const packets = await screen.check('the underlay carries VXLAN with the right VNI, addresses and port', capture, ({ length }) =>
    `${length} kinds of packets, those expected and no other`)
  if (packets !== undefined) screen.show('tshark on the underlay, at the port of c1, during two pings', formatPackets(packets))
}

async function showWithdrawal(lab: Lab, screen: Screen): Promise<void> {
  const witnesses: Witnesses = { chassis: 'c1', linux: 'l1' }
  const workload = workloadNamed(lab, 'c2-1000-b')
  screen.step(`c2: ovs-vsctl del-port br-int ${workload.name}, then add it again`)
  const gone = await screen.check(`${workload.name} leaves c2`, () => withdraw(lab, workload, witnesses), (effect) =>
    formatEffect('gone', effect, witnesses))
  if (gone === undefined) return
  await screen.check(`${workload.name} comes back`, () => bringBack(lab, workload, witnesses, 'c1-1000-a'), (effect) =>
    formatEffect('there', effect, witnesses))
}

/** Replaces the daemon of c1 in `daemons`. */
async function showRestart(lab: Lab, screen: Screen, daemons: Daemons): Promise<void> {
  const old = daemons.get('c1')
  if (old === undefined) return
  const [a, b] = [workloadNamed(lab, 'c1-1000-a'), workloadNamed(lab, 'l1-1000-a')]
  screen.step(`c1: kill -9 ${old.pid} while ${a.name} and ${b.name} ping each other, IPv4 and IPv6, 200 times a second each`)
  const restart = () => restartUnderTraffic(lab, 'c1', old, [a, b])
  const result = await screen.check('the daemon of c1 is killed and another one takes over', restart, ({ ready }) =>
    `knows everything again ${Math.round(ready)} ms after its start`)
  if (result === undefined) return
  daemons.set('c1', result.daemon)
  await screen.check('no packet was lost', () => judgeLoss(result.streams), (sent) => `0 of ${sent}`)
  await screen.check('the new daemon sent the switch nothing', () => { judgeMods(result.coverage) }, () =>
    '0 flow-mods, 0 group-mods (coverage/show)')
  await screen.check('no flow was touched', () => { judgeEvents(result.events) }, () =>
    '0 events at ovs-ofctl monitor br-int watch:!initial')
}

/** What the daemons complained of, for whoever has to find out what failed. */
function showWarnings(screen: Screen, daemons: Daemons): void {
  for (const [chassis, daemon] of daemons) {
    const lines = daemon.log().split('\n').filter((line) => /\|(WARN|ERR|EMER)\|/.test(line))
    screen.show(`${chassis}: last warnings of ovs-evpnd`, lines.slice(-10).join('\n') || '(none)')
  }
}

function requireNothingLeft(id: string, pids: readonly number[], before: Surroundings): void {
  const left = leftovers(id, pids)
  if (left.length > 0) throw new Unmet('nothing', left.join(', '))
  for (const [directory, names] of Object.entries(surroundings())) {
    const added = names.filter((name) => before[directory]?.includes(name) !== true)
    if (added.length > 0) throw new Unmet(`${directory} as it was`, `${added.join(', ')} in it`)
  }
}

function workloadNamed(lab: Lab, name: string): Workload {
  const { workload } = lab.host(name)
  if (workload === undefined) throw new Error(`${name} is no workload of the lab`)
  return workload
}
