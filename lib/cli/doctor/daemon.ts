// Checks of the daemon itself: whether it reaches what it works with, and what it says is wrong that no other check has found.
import type { Problem } from '../../daemon/report/report.js'
import { isConnected } from '../../daemon/report/session.js'
import { command } from '../shell.js'
import type { Check, Found } from './check.js'
import { integrationBridge, type Facts } from './facts.js'

/** The three sessions. Nothing connects to a bridge that is missing or not ours, which is a finding of its own. */
function downSessions({ show }: Facts): Found[] {
  return [
    ...(isConnected(show.ovsdb) ? [] : [{
      subject: 'ovsdb', what: `ovs-evpnd does not follow the configuration: ${show.ovsdb}`,
      mend: show.ovsdb.includes(' unix:') ? start('ovsdb-server', show.ovsdb) : []
    }]),
    ...(isConnected(show.openflow) || show.openflow === NO_BRIDGE ? [] : [{
      subject: 'openflow', what: `ovs-evpnd cannot program the switch: ${show.openflow}`, mend: show.openflow.startsWith('connected') ? [] : start('ovs-vswitchd', show.openflow)
    }]),
    ...(show.netlink === 'synced' ? [] : [{ subject: 'netlink', what: `ovs-evpnd does not know the kernel's tables yet: ${show.netlink}; ask again in a moment`, mend: [] }])
  ]
}

const NO_BRIDGE = 'no bridge to connect to'

/** Who may not connect is not helped by a start; the daemon says what helps. */
function start(service: string, status: string): string[] {
  return status.includes('EACCES') ? [] : [`systemctl start ${service}`]
}

const STAND_OFF = /belongs to ovn-controller .*nothing is changed on it/

/** Marks that ovn-controller left behind can go; while it runs it would make them anew, and delete every flow it does not know. */
function standOff(facts: Facts): Found[] {
  const told = facts.show.problems.find(({ what }) => STAND_OFF.test(what))
  if (told === undefined) return []
  const subject = facts.show.bridge
  if (facts.ovnController === undefined) return [{ subject, what: `${told.what}, and no ovn-controller runs here`, mend: unmark(facts) }]
  return [{ subject, what: `${told.what}; ovn-controller runs here (process ${facts.ovnController}), so only one of the two can have ${subject}`, mend: [] }]
}

function unmark(facts: Facts): string[] {
  const { name, ovnKeys, ovnPorts } = integrationBridge(facts) ?? { name: '', ovnKeys: [], ovnPorts: [] }
  const installed = facts.interfaces.filter(({ bridge, externalIds }) => bridge === name && externalIds.has('ovn-installed'))
  return [
    ...ovnKeys.map((key) => command`ovs-vsctl remove Bridge ${name} external_ids ${key}`),
    ...installed.map((one) => command`ovs-vsctl remove Interface ${one.name} external_ids ovn-installed`),
    ...ovnPorts.map((port) => command`ovs-vsctl del-port ${name} ${port}`)
  ]
}

/**
 * Sentences of the daemon's that end with the command that helps. Only these: others have values in them which anybody may have written,
 * with a command of his own. Names of devices have no space in them.
 */
const TOLD = /^(?:VNI \d+: (?:(?:bridge|VLAN device|vxlan device|advertise device) \S+ (?:is|has) |evpn-manage-devices makes no )|bridge \S+ has no fail_mode=secure|evpn-decap=strict needs ).*?; set it with: (.+)$/

/** Some of its sentences end with the command that helps; a key that nobody reads can go. */
function mendOf({ what }: Problem): string[] {
  const told = TOLD.exec(what)?.[1]
  if (told !== undefined) return [told]
  const [, table, record = '', key = ''] = /^(Open_vSwitch|Bridge|Interface) (\S+) external_ids:([\w.-]+)="[^"]*": unknown key;/.exec(what) ?? []
  return table === undefined || key.includes('...') ? [] : [command`ovs-vsctl remove ${table} ${record} external_ids ${key}`]
}

/** The checks that come before all others. */
export const SESSION_CHECKS: readonly Check[] = [
  { id: 'session-down', severity: 'error', why: 'Flows and kernel rows stay as they are, and nothing follows what changes on the other side.', find: downSessions },
  {
    id: 'stand-off', severity: 'error', why: 'Two owners of one bridge delete each other\'s flows, so ovs-evpnd writes nothing and announces nothing.', find: standOff,
    covers: ({ what }) => STAND_OFF.test(what)
  }
]

/** The check that comes after all others. */
export const PROBLEM_CHECK: Check = {
  id: 'daemon-problem', severity: 'warning', why: 'The daemon itself finds that something is not as it should be.',
  find: ({ show }, isSaid) => show.problems.filter((problem) => !isSaid(problem)).map((problem) => ({
    subject: problem.record, what: problem.record === 'configuration' ? problem.what : `${problem.record}: ${problem.what}`, mend: mendOf(problem)
  }))
}
