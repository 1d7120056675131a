// What `lab up` prints: the fabric as a drawing, its hosts as tables, commands to try. Pure text from the plan.
import { formatTable } from '../../lib/cli/table.js'
import { withoutPrefix, type LabPlan, type Vtep, type Workload } from './spec.js'

/** The whole description of a lab that is up, with our daemon or without. */
export function describeLab(plan: LabPlan, hasDaemon: boolean): string {
  return [drawFabric(plan), vtepTable(plan), workloadTable(plan), examples(plan, hasDaemon)].filter((part) => part !== '').join('\n\n')
}

/** The VTEPs side by side, on their underlay. */
export function drawFabric(plan: LabPlan): string {
  const boxes = plan.vteps.map((vtep) => vtepBox(plan, vtep))
  if (boxes.length === 0) return ''
  const width = Math.max(...boxes.flat().map((line) => line.length)) + 3
  const rows = boxes[0]?.map((_, i) => boxes.map((box) => (box[i] ?? '').padEnd(width)).join('').trimEnd()) ?? []
  const stems = boxes.map(() => '      |'.padEnd(width)).join('').trimEnd()
  const line = `  ${'='.repeat(width * (boxes.length - 1) + 9)}  underlay`
  return [...rows, stems, line].join('\n')
}

function vtepBox(plan: LabPlan, vtep: Vtep): string[] {
  const workloads = plan.workloads.filter(({ vtep: name }) => name === vtep.name)
  const bridge = vtep.kind === 'ovs' ? 'br-int' : 'br-<vni>'
  const lines = [
    `${workloads.length} workload${workloads.length === 1 ? '' : 's'}`,
    bridge,
    `${vtep.name}: ${vtep.kind === 'ovs' ? 'Open vSwitch' : 'Linux bridge'}`,
    `VTEP ${vtep.ip}`
  ]
  const inner = Math.max(...lines.map((line) => line.length))
  const edge = ` +${'-'.repeat(inner + 2)}+`
  return [edge, ...lines.map((line) => ` | ${line.padEnd(inner)} |`), edge]
}

function vtepTable(plan: LabPlan): string {
  const device = (vtep: Vtep, vni: number): string => `br-${vni} vxlan-${vni}` + (vtep.kind === 'ovs' ? ` lo-${vni}` : '')
  const devices = (vtep: Vtep): string => plan.vnis.map((vni) => device(vtep, vni)).join(', ')
  return formatTable<Vtep>([
    { head: 'VTEP', cell: ({ name }) => name },
    { head: 'address', cell: ({ ip }) => ip },
    { head: 'namespace', cell: ({ netns }) => netns },
    { head: 'kernel devices', cell: (vtep) => vtep.kind === 'ovs' && !plan.devices ? '' : devices(vtep) }
  ], plan.vteps).trimEnd()
}

function workloadTable(plan: LabPlan): string {
  if (plan.workloads.length === 0) return ''
  return formatTable<Workload>([
    { head: 'workload', cell: ({ name }) => name },
    { head: 'VNI', cell: ({ vni }) => vni },
    { head: 'MAC', cell: ({ mac }) => mac },
    { head: 'addresses', cell: ({ addresses }) => addresses.map(withoutPrefix).join(' ') },
    { head: 'namespace', cell: ({ netns }) => netns }
  ], plan.workloads).trimEnd()
}

function examples(plan: LabPlan, hasDaemon: boolean): string {
  const chassis = plan.vteps.find(({ kind }) => kind === 'ovs')?.name
  const speaker = plan.frr ? plan.vteps.at(-1)?.name : undefined
  const [from] = plan.workloads
  const to = plan.workloads.find(({ vtep, vni }) => vtep !== from?.vtep && vni === from?.vni)
  const example = (command: string, rest = ''): string =>
    `  npm run lab -- ${[command, ...(plan.id === DEFAULT_LAB_ID ? [] : ['--id', plan.id]), rest].join(' ').trimEnd()}`
  return [
    'Try:',
    ...(from && to ? [example('exec', `${from.name} -- ping -c 3 ${withoutPrefix(to.addresses[0] ?? '')}`)] : []),
    ...(chassis ? [example('exec', `${chassis} -- ovs-vsctl show`), example('exec', `${chassis} -- ovs-ofctl dump-flows br-int`)] : []),
    ...(chassis && hasDaemon ? [example('exec', `${chassis} -- ovs-appctl -t ovs-evpnd evpn/vtep-fdb-list`)] : []),
    ...(speaker ? [example('exec', `${speaker} -- vtysh -c 'show bgp l2vpn evpn'`)] : []),
    example('status'),
    example('down')
  ].join('\n')
}

/** The lab that the program speaks of when it is not told another. */
export const DEFAULT_LAB_ID = 'lab'
