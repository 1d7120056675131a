// Walks on a real chassis: Open vSwitch, the kernel, ovsdb-server and the daemon as a process of its own. After each, what its tools
// show must be what the truth says of it, as for the fakes; `ovs-ofctl` must print what was read of the switch; and computing everything
// anew, and a restart, change nothing.
// REAL_WALKS=n walks n times instead of 24, REAL_SEED=s begins with seed s.
import t, { type Test } from 'tap'
import { Lab } from '../lab/lab.js'
import { connectTo } from '../openflow/connect.js'
import { Chassis } from '../system/util/chassis.js'
import { coverage, memory } from '../system/util/daemon-numbers.js'
import { eventually } from '../system/util/eventually.js'
import { LOCAL_IPS, VNIS, WORKLOADS } from './pools.js'
import { Random, stepSeed } from './random.js'
import { look } from './real/look.js'
import { operate, type Real } from './real/operations.js'
import { disagreements } from './real/outside.js'
import { checkForwarding } from './truth/forwarding.js'
import { checkOurRows } from './truth/rows.js'
import { checkTunnels } from './truth/tunnels.js'

const { REAL_WALKS: walksText, REAL_SEED: seedText } = process.env
const WALKS = Number(walksText ?? 24)
const FIRST = Number(seedText ?? 1)
const STEPS = 25
/** A fight over a flow pauses; so does what the switch refused. */
const SETTLED_MS = 60_000

t.setTimeout(600_000)
const lab = await Lab.up({ chassis: 1, linux: 0, frr: false, vnis: VNIS, vtepIps: { c1: LOCAL_IPS[0] }, workloads: [] })
t.teardown(() => lab.down())
const c1 = new Chassis(lab)
for (const name of WORKLOADS.slice(0, 3)) {
  await c1.vsctl('--no-wait', 'add-port', 'br-int', name, '--', 'set', 'Interface', name, 'type=internal', `external_ids:dynamic-routing-vni=${VNIS[1]}`)
}
const real: Real = { lab, daemon: await lab.startDaemon('c1') }
const { client } = await connectTo(t, `${lab.host('c1').dir}/br-int.mgmt`)

/** What everybody can see, without what only counts. */
async function tables(): Promise<readonly string[]> {
  const [flows, groups, fdb, neighbours] = [await c1.ourFlows(), await c1.groups(), await c1.fdb(), await c1.neighbours()]
  return [...flows, ...groups.map(inOrder), ...[...fdb, ...neighbours].map((row) => JSON.stringify(row))].sort()
}

/** Of a group for everybody the order of its buckets means nothing. */
function inOrder(group: string): string {
  const [head = '', ...buckets] = group.split(',bucket=')
  return [head, ...buckets.sort()].join(',bucket=')
}

async function isAtRest(): Promise<boolean> {
  const now = await memory(real.daemon)
  return ['flows', 'groups', 'meters', 'kernel_rows'].every((kind) => now[`${kind}_desired`] === now[`${kind}_realized`])
}

async function sent(): Promise<readonly number[]> {
  const now = await coverage(real.daemon)
  return ['flow_mods', 'group_mods', 'meter_mods', 'kernel_writes'].map((name) => now[name] ?? 0)
}

interface Carrier { readonly ifname: string, readonly flags: readonly string[], readonly operstate: string }

/**
 * Devices whose carrier came or went, and of which the kernel has not told yet: it takes up to a second, and then deletes the
 * neighbours of a bridge none of whose ports has one (linkwatch).
 */
async function untold(): Promise<string[]> {
  const links = JSON.parse(await c1.run(['ip', '-j', 'link', 'show'])) as readonly Carrier[]
  // LOWER_UP is the carrier as it is, the operational state (and NO-CARRIER) as it was told.
  const isUntold = ({ flags, operstate }: Carrier): boolean => flags.includes('UP') && operstate === (flags.includes('LOWER_UP') ? 'DOWN' : 'UP')
  return links.filter(isUntold).map(({ ifname }) => ifname)
}

/** Waits until all is as the truth says, for what the tools show then. */
async function isTrue(seed: number): Promise<void> {
  await eventually('the kernel to tell of all carriers', untold, (names) => names.length === 0)
  await eventually('everything to be as it must', async () => {
    const things = await look(c1, client)
    const wrong = [...checkTunnels(things), ...checkOurRows(things), ...checkForwarding(things, new Random(seed))]
    return wrong.length > 0 || await isAtRest() ? wrong : ['the daemon has something to do']
  }, (wrong) => wrong.length === 0, SETTLED_MS)
  await eventually('ovs-ofctl to print the flows and groups that were read', () => disagreements(c1, client), (lines) => lines.length === 0)
}

async function recomputationChangesNothing(t: Test): Promise<void> {
  const [before, shown] = [await sent(), await tables()]
  await real.daemon.appctl('evpn/recompute')
  await eventually('it to be done', isAtRest, (atRest) => atRest)
  t.strictSame(await tables(), shown, 'after everything was computed anew the tables are the same')
  t.strictSame(await sent(), before, 'nothing was sent')
}

async function restartChangesNothing(t: Test): Promise<void> {
  const shown = await tables()
  await real.daemon.stop('SIGKILL')
  real.daemon = await lab.startDaemon('c1')
  await eventually('the daemon to have read the switch', () => coverage(real.daemon), (now) => (now['switch_read_backs'] ?? 0) > 0)
  await eventually('it to be done', isAtRest, (atRest) => atRest)
  t.strictSame(await tables(), shown, 'after a restart the tables are the same')
  t.strictSame(await sent(), [0, 0, 0, 0], 'nothing was sent')
}

/** Groups that somebody deletes are back, and their flows. Once in a while only: what happens often is a fight, and answered slowly. */
async function isPutBack(t: Test): Promise<void> {
  const shown = await tables()
  await c1.ofctl('del-groups', 'br-int')
  const missing = async (): Promise<string[]> => {
    const now = await tables()
    return shown.filter((line) => !now.includes(line))
  }
  await eventually('everything to be put back; what is missing', missing, (lines) => lines.length === 0, SETTLED_MS)
  t.strictSame(await tables(), shown, 'and nothing else is there')
}

for (let seed = FIRST; seed < FIRST + WALKS; seed++) {
  await t.test(`walk ${seed} on a real chassis`, async (t) => {
    const steps: string[] = []
    try {
      for (let i = 0; i < STEPS; i++) steps.push(await operate(real, new Random(stepSeed(seed, i))))
      await isTrue(seed)
      await recomputationChangesNothing(t)
      if (seed % 3 === 0) await restartChangesNothing(t)
      if (seed % 12 === 5) await isPutBack(t)
    } finally {
      if (!t.passing()) t.comment(['the steps:', ...steps].join('\n'))
    }
  })
}
