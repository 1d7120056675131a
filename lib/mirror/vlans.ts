// The VLANs of bridges and their ports: keyed as the kernel does, by device and VID. A port has one PVID at most; that it went to
// another VLAN is said by the news of that one alone (net/bridge/br_vlan.c). A port has a tunnel key at one VLAN at most.
import { isPvid, type VlanRow } from '../netlink/index.js'
import { NestedMap } from './nested.js'
import { NestedRows } from './nested-rows.js'

/** Told when a VLAN of a device came, changed or went: tunnel keys that it lost or got, and whether the device's PVID changed. */
export type VlanChanged = (ifindex: number, vid: number, tunnelIds: readonly number[], hasOtherPvid: boolean) => void

interface Member {
  readonly ifindex: number
  readonly vid: number
  readonly tunnelId: number | undefined
}

const MAX_VID = 4095

export class VlanMirror {
  readonly #rows = new NestedRows<Member>()
  readonly #pvids = new Map<number, number>()
  /** By device and tunnel key: the VID. */
  readonly #tunnels = new NestedMap<number, number, number>()
  readonly #changed: VlanChanged

  constructor(changed: VlanChanged) {
    this.#changed = changed
  }

  isMember(ifindex: number, vid: number): boolean {
    return this.#rows.get(ifindex, String(vid)) !== undefined
  }

  /** The VLAN of untagged frames that come in by a port; undefined = none. */
  pvid(ifindex: number): number | undefined {
    return this.#pvids.get(ifindex)
  }

  /** The VLAN that a port sends and takes with this tunnel key; undefined = none. */
  vidOfTunnel(ifindex: number, tunnelId: number): number | undefined {
    return this.#tunnels.get(ifindex, tunnelId)
  }

  put({ ifindex, vlans }: VlanRow): void {
    for (const range of vlans) {
      const { vid: first, end = first, tunnelId } = range
      for (let vid = first; vid <= Math.min(end, MAX_VID); vid++) {
        this.#put({ ifindex, vid, tunnelId: tunnelId === undefined ? undefined : tunnelId + vid - first }, isPvid(range))
      }
    }
  }

  delete({ ifindex, vlans }: VlanRow): void {
    for (const { vid: first, end = first } of vlans) {
      for (let vid = first; vid <= Math.min(end, MAX_VID); vid++) this.#drop(this.#rows.delete(ifindex, String(vid)))
    }
  }

  /** The device is gone, and its VLANs with it. */
  deleteDevice(ifindex: number): void {
    for (const row of [...this.#rows.under(ifindex).values()]) this.#drop(this.#rows.delete(ifindex, String(row.vid)))
  }

  /** vlan_tunnel was switched off on a port: the kernel forgets the keys and says nothing of its VLANs (nbp_vlan_tunnel_info_flush). */
  forgetTunnels(ifindex: number): void {
    for (const vid of [...this.#tunnels.under(ifindex).values()]) this.#put({ ifindex, vid, tunnelId: undefined }, this.pvid(ifindex) === vid)
  }

  beginResync(): void {
    this.#rows.beginResync()
  }

  finishResync(): void {
    for (const old of this.#rows.finishResync()) this.#drop(old)
  }

  #put(row: Member, hasPvid: boolean): void {
    const { ifindex, vid, tunnelId } = row
    const old = this.#rows.put(ifindex, String(vid), row)
    const hasOtherPvid = hasPvid !== (this.pvid(ifindex) === vid)
    if (hasPvid) this.#pvids.set(ifindex, vid)
    else if (hasOtherPvid) this.#pvids.delete(ifindex)
    const tunnelIds = old?.tunnelId === tunnelId ? [] : [old?.tunnelId, tunnelId].filter((id) => id !== undefined)
    this.#forgetTunnel(old)
    if (tunnelId !== undefined) this.#tunnels.set(ifindex, tunnelId, vid)
    if (old === undefined || hasOtherPvid || tunnelIds.length > 0) this.#changed(ifindex, vid, tunnelIds, hasOtherPvid)
  }

  #drop(old: Member | undefined): void {
    if (old === undefined) return
    const { ifindex, vid, tunnelId } = old
    const hadPvid = this.pvid(ifindex) === vid
    if (hadPvid) this.#pvids.delete(ifindex)
    this.#forgetTunnel(old)
    this.#changed(ifindex, vid, tunnelId === undefined ? [] : [tunnelId], hadPvid)
  }

  /** A key may be another VLAN's by now. */
  #forgetTunnel(old: Member | undefined): void {
    if (old?.tunnelId !== undefined && this.#tunnels.get(old.ifindex, old.tunnelId) === old.vid) this.#tunnels.delete(old.ifindex, old.tunnelId)
  }
}
