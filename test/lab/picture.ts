// What `lab up` prints: the fabric as a drawing, its hosts as tables, commands to try. Pure text from the plan.
import Table from 'cli-table3'
import { withoutPrefix, type LabPlan, type Vtep } from './spec.js'

/** The whole description of a lab that is up. */
export function describeLab(plan: LabPlan): string {
  return [drawing(plan), vtepTable(plan), workloadTable(plan), examples(plan)].filter((part) => part !== '').join('\n\n')
}

/** An aligned table without lines. */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const none = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left', 'left-mid',
    'mid', 'mid-mid', 'right', 'right-mid']
  const chars = { ...Object.fromEntries(none.map((name) => [name, ''])), middle: '  ' }
  const table = new Table({ head: [...head], chars, style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 } })
  table.push(...rows.map((row) => [...row]))
  return table.toString().split('\n').map((line) => line.trimEnd()).join('\n')
}

function drawing(plan: LabPlan): string {
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
  const devices = (vtep: Vtep): string => plan.vnis
    .map((vni) => vtep.kind === 'linux' ? `br-${vni} vxlan-${vni}` : `br-${vni} vxlan-${vni} lo-${vni}`).join(', ')
  return plainTable(['VTEP', 'address', 'namespace', 'kernel devices'], plan.vteps.map((vtep) =>
    [vtep.name, vtep.ip, vtep.netns, vtep.kind === 'linux' || plan.devices ? devices(vtep) : 'none']))
}

function workloadTable(plan: LabPlan): string {
  if (plan.workloads.length === 0) return ''
  return plainTable(['workload', 'VNI', 'MAC', 'addresses', 'namespace'], plan.workloads.map(({ name, vni, mac, addresses, netns }) =>
    [name, String(vni), mac, addresses.map(withoutPrefix).join(' '), netns]))
}

function examples(plan: LabPlan): string {
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
    ...(speaker ? [example('exec', `${speaker} -- vtysh -c 'show bgp l2vpn evpn'`)] : []),
    example('status'),
    example('down')
  ].join('\n')
}

/** The lab that the program speaks of when it is not told another. */
export const DEFAULT_LAB_ID = 'lab'
