// A path of a nexthop group fails, and comes back, with growing numbers of MACs behind the group.
import { coverage } from '../../system/util/daemon-numbers.js'
import { Fabric, settled } from '../fabric.js'
import type { Figure } from '../figures.js'
import { growth, type BenchOptions, type Section } from '../section.js'

const GROUP = 10
const MEMBERS = [1, 2] as const

export const ecmp: Section = {
  name: 'ecmp',
  what: 'a path of a nexthop group fails: netlink write to group message in br-int',
  run: async ({ sizes, say, isBrief }: BenchOptions) => {
    const count = isBrief ? 4 : 100
    const figures: Figure[] = []
    const fabric = await Fabric.up()
    try {
      await fabric.ask({ kind: 'paths', group: GROUP, members: MEMBERS })
      const daemon = await fabric.lab.startDaemon('c1')
      let filled = 0
      for (const n of sizes) {
        say(`ecmp: ${n} MACs behind the group`)
        await fabric.ask({ kind: 'macs', op: 'replace', from: filled, to: n, ips: false, nexthop: GROUP })
        filled = n
        await settled(daemon)
        const before = await coverage(daemon)
        const samples = await fabric.ask<number[]>({ kind: 'failures', group: GROUP, members: MEMBERS, count })
        const after = await coverage(daemon)
        const messages = (name: string) => ((after[name] ?? 0) - (before[name] ?? 0)) / (2 * count)
        figures.push(
          { section: 'ecmp', what: 'a path fails or comes back', n, unit: 'ms', samples, target: 2 },
          { section: 'ecmp', what: 'group messages for it', n, unit: '', samples: [messages('group_mods')], target: 1 },
          { section: 'ecmp', what: 'flow messages for it', n, unit: '', samples: [messages('flow_mods')], target: 0 }
        )
      }
    } finally {
      await fabric.down()
    }
    return [...figures, ...growth(figures, 'ecmp', ['a path fails or comes back'])]
  }
}
