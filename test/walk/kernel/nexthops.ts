// Nexthops for FDB rows as net/ipv4/nexthop.c keeps them: single ones and groups of them. What is refused, and what is
// told in which order, was measured on Linux 6.18. FDB rows that go with their group are not told (drivers/net/vxlan).
import type { NexthopRow } from '../../../lib/netlink/index.js'
import type { Ip } from '../../../lib/net/ip.js'
import type { Notify } from './fdb.js'
import type { News } from './rows.js'

export class Nexthops {
  readonly #rows = new Map<number, NexthopRow>()
  /** Grows with every change: a dump under way notices. */
  generation = 0

  get(id: number): NexthopRow | undefined {
    return this.#rows.get(id)
  }

  /** By id, as a dump shows them. */
  all(): NexthopRow[] {
    return [...this.#rows.values()].sort((a, b) => a.id - b.id)
  }

  /** Gateway and weight of each member, in the group's order. */
  members(id: number): { readonly ip: Ip, readonly weight: number }[] {
    return (this.#rows.get(id)?.group ?? []).flatMap(({ id: member, weight }) => {
      const ip = this.#rows.get(member)?.gateway
      return ip === undefined ? [] : [{ ip, weight }]
    })
  }

  hasV4(id: number): boolean {
    return this.members(id).some(({ ip }) => !ip.includes(':'))
  }

  /** RTM_NEWNEXTHOP, which creates or replaces. It is told each time, and of the groups that it changes nothing is. */
  add(row: NexthopRow, notify: Notify): string | undefined {
    const old = this.#rows.get(row.id)
    const members = (row.group ?? []).map(({ id }) => this.#rows.get(id))
    if (row.group !== undefined) {
      if (new Set(row.group.map(({ id }) => id)).size < row.group.length) return 'EINVAL'
      if (members.some((member) => member?.gateway === undefined)) return 'EINVAL'
      if (new Set(members.map((member) => member?.family)).size > 1) return 'EINVAL'
    }
    // What is single stays single.
    if (old !== undefined && (old.group === undefined) !== (row.group === undefined)) return 'EINVAL'
    this.#rows.set(row.id, row)
    this.generation++
    notify(nexthopNews('new', row))
    return undefined
  }

  /** RTM_DELNEXTHOP. Groups lose the member; one that has no other goes with it. Returns the ids that went, or the errno's name. */
  remove(id: number, notify: Notify): readonly number[] | string {
    const row = this.#rows.get(id)
    if (row === undefined) return 'ENOENT'
    this.#rows.delete(id)
    this.generation++
    notify(nexthopNews('del', row))
    const gone = [id]
    for (const group of this.all().filter(({ group: members }) => members?.some((member) => member.id === id) === true)) {
      const rest = group.group?.filter((member) => member.id !== id) ?? []
      if (rest.length === 0) {
        this.#rows.delete(group.id)
        // It is told with the member it had.
        notify(nexthopNews('del', group))
        gone.push(group.id)
      } else {
        const shrunk = { ...group, group: rest }
        this.#rows.set(group.id, shrunk)
        notify(nexthopNews('new', shrunk))
      }
    }
    return gone
  }
}

export function nexthopNews(op: 'new' | 'del', row: NexthopRow): News {
  return { message: { kind: 'nexthop', op, row } }
}
